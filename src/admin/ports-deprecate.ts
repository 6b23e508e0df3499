import { Command } from 'commander';
import { changePorts, tellChange } from './change-ports.ts';
import type { AdminContext } from './context.ts';
import { findPort, isPublic, portName } from './find-port.ts';
import { PORT_HELP } from './port-options.ts';

/** `penguindome ports deprecate PORT`: hosts that still come by it get the issue `deprecated-port`. */
export function portsDeprecate(context: AdminContext): Command {
  return new Command('deprecate')
    .description('mark a port that is to go: whoever still comes by it gets an issue')
    .argument('<port>', PORT_HELP)
    .option('--undo', 'take the mark away')
    .addHelpText('after', EXAMPLES)
    .action((port: string, { undo }: { undo?: true }) => deprecate(context, port, undo !== true));
}

const EXAMPLES = `
A host's issue closes when it comes by another port. When none is open any more the port can be removed.

Examples:
  penguindome ports deprecate 8443
  penguindome issues list --json
  penguindome ports deprecate 8443 --undo`;

async function deprecate(context: AdminContext, wanted: string, deprecated: boolean): Promise<void> {
  let name = wanted;
  let told = '';
  const changed = await changePorts(context, async (settings) => {
    const { index, port } = findPort(settings, wanted);
    name = portName(port);
    if (deprecated && isPublic(settings, port)) told = settings.public_url;
    // absent is false
    return port.deprecated === deprecated ? [] : [{ path: `ports.${index}.deprecated`, value: String(deprecated) }];
  });
  tellChange(context, {
    changed,
    sentence: `port ${name} is ${deprecated ? 'deprecated' : 'deprecated no more'}`,
    facts: { port: name, deprecated },
  });
  if (told !== '') context.output.note(`New agents are still told to come there: change public_url (${told})`);
}
