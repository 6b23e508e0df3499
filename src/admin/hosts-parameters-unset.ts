import { Command } from 'commander';
import type { ParameterName } from '../core/parameters.ts';
import type { AdminContext } from './context.ts';
import { findHost } from './find-host.ts';
import { parameterArgument } from './hosts-parameters-list.ts';

export function hostsParametersUnset(context: AdminContext): Command {
  return new Command('unset')
    .description('takes a parameter of a host back')
    .argument('<host>', 'its name')
    .addArgument(parameterArgument())
    .addHelpText('after', EXAMPLES)
    .action((host: string, parameter: ParameterName) => unsetParameter(context, host, parameter));
}

const EXAMPLES = `
Without user_clients the host belongs to no group any more; the others of it stay linked with one another.

Examples:
  penguindome hosts parameters unset lap-17 user_email
  penguindome hosts parameters unset lap-17 user_clients`;

async function unsetParameter(context: AdminContext, wanted: string, parameter: ParameterName): Promise<void> {
  const { output, clock } = context;
  const store = await context.store();
  const { hostname } = await findHost(store, wanted);
  context.concerns([hostname]);
  const former = await store.parameters.set(hostname, parameter, null, clock.now());
  if (output.wantsJson) output.json({ hostname, parameter, value: null, former, changed: former !== null });
  else if (former === null) output.line(`${hostname}: ${parameter} was not set`);
  else output.line(`${hostname}: ${parameter} is no longer set (was ${former.join(', ')})`);
}
