import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { Store } from '../store/port.ts';
import { changePorts, tellChange } from './change-ports.ts';
import type { AdminContext } from './context.ts';
import { findPort, isPublic, portName } from './find-port.ts';
import { PORT_HELP } from './port-options.ts';

/** `penguindome ports remove PORT`: the server stops listening there at its next reload. */
export function portsRemove(context: AdminContext): Command {
  return new Command('remove')
    .description('let the server listen on a port no more')
    .argument('<port>', PORT_HELP)
    .option('--force', 'also the port that agents are told, or one that hosts still come by')
    .addHelpText('after', EXAMPLES)
    .action((port: string, { force }: { force?: true }) => removePort(context, port, force === true));
}

const EXAMPLES = `
The files of its certificate stay. What is under way on it is answered; then its connections are closed.

Examples:
  penguindome ports deprecate 8443
  penguindome issues list --json
  penguindome ports remove 8443`;

async function removePort(context: AdminContext, wanted: string, force: boolean): Promise<void> {
  let name = wanted;
  const changed = await changePorts(context, async (settings) => {
    const { index, port } = findPort(settings, wanted);
    name = portName(port);
    if (settings.ports.length === 1) throw new OperatorError(`cannot remove port ${name}: it is the last one`);
    if (!force && isPublic(settings, port)) {
      throw new OperatorError(
        `cannot remove port ${name}: agents are told to come there (${settings.public_url}); change public_url, or use --force`,
      );
    }
    if (!force && port.deprecated) await refuseWhileUsed(await context.store(), name);
    return [{ path: `ports.${index}`, value: undefined }];
  });
  tellChange(context, { changed, sentence: `port ${name} is removed`, facts: { port: name } });
}

const SHOWN = 5;

/** The issue is there for that. */
async function refuseWhileUsed({ issues }: Pick<Store, 'issues'>, name: string): Promise<void> {
  const hosts: string[] = [];
  for await (const { hostname } of issues.listOpen({ names: ['deprecated-port'] })) hosts.push(hostname);
  if (hosts.length === 0) return;
  const some = hosts.slice(0, SHOWN).join(', ');
  const more = hosts.length > SHOWN ? ` and ${hosts.length - SHOWN} more` : '';
  throw new OperatorError(
    `cannot remove port ${name}: ${some}${more} came by a deprecated port when they last came; use --force to cut them off`,
  );
}
