import { Argument, Command, Option } from 'commander';
import { PARAMETERS, type ParameterName } from '../core/parameters.ts';
import type { AdminContext } from './context.ts';
import { spellingsOf } from './select-issues.ts';

export function hostsParametersList(context: AdminContext): Command {
  return new Command('list')
    .description('what is set, by host')
    .option('--host <host...>', 'only of these hosts')
    .addOption(new Option('--parameter <name...>', 'only these').choices(PARAMETERS))
    .addHelpText('after', EXAMPLES)
    .action((options: { host?: string[]; parameter?: ParameterName[] }) => listParameters(context, options));
}

const EXAMPLES = `
Examples:
  penguindome hosts parameters list
  penguindome hosts parameters list --host lap-17 --parameter user_email`;

/** The name of a parameter, as the commands that change one take it. */
export function parameterArgument(): Argument {
  return new Argument('<parameter>', 'user_email or user_clients').choices(PARAMETERS);
}

async function listParameters(
  context: AdminContext,
  { host, parameter }: { host?: string[]; parameter?: ParameterName[] },
): Promise<void> {
  const { output } = context;
  const store = await context.store();
  const found = await store.parameters.list({
    ...(host && { hostnames: await spellingsOf(store, host) }),
    ...(parameter && { parameters: parameter }),
  });
  if (output.wantsJson) output.json(found);
  else if (found.length === 0) output.note('no parameters are set');
  else {
    const rows = found.map(({ hostname, parameter: name, value }) => [hostname, name, value.join(', ')]);
    output.table(['HOST', 'PARAMETER', 'VALUE'], rows);
  }
}
