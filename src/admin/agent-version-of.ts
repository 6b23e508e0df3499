import type { Host } from '../core/host.ts';
import { valueAt } from '../core/value.ts';

/** Which version of the agent a host says that it runs; undefined of the original client, and where none was reported. */
export function agentVersionOf({ plugins }: Pick<Host, 'plugins'>): string | undefined {
  const version = plugins && valueAt(plugins, 'agent.version');
  return typeof version === 'string' ? version : undefined;
}
