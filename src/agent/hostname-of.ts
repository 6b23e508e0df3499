import { OperatorError } from '../core/errors.ts';
import { isHostname } from '../core/host.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { EXIT } from './exit-codes.ts';

/** The name that this host reports under. */
export function hostnameOf(settings: Pick<AgentSettings, 'hostname'>, machine: string): string {
  const name = settings.hostname ?? machine;
  if (isHostname(name)) return name;
  throw new OperatorError(
    `cannot report under the name ${JSON.stringify(name)}: it is no host name; set hostname in agent.yml`,
    { exitCode: EXIT.notSetUp },
  );
}
