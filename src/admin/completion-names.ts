import { Argument, Command } from 'commander';
import type { AdminContext } from './context.ts';

/** What a shell splits at or acts on is completed for nobody. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** For the scripts of `penguindome completion`: names, one a line; none where they cannot be read, for a shell asks at each Tab. */
export function completionNames(context: AdminContext): Command {
  return new Command('completion-names')
    .description('print the names that a shell may complete')
    .addArgument(new Argument('<of>', 'which ones').choices(['hosts', 'issues']))
    .addHelpText('after', '\nExamples:\n  penguindome completion-names hosts')
    .action(async (of: 'hosts' | 'issues') => {
      const names = await (of === 'hosts' ? hostNames(context) : issueNames(context)).catch(() => []);
      if (context.output.wantsJson) context.output.json(names);
      else for (const name of names) context.output.line(name);
    });
}

/** By the keys: to read the hosts themselves would take seconds where they are many. */
async function hostNames(context: AdminContext): Promise<string[]> {
  const names = new Set<string>();
  for await (const { hostname } of (await context.store()).hosts.keys()) names.add(hostname);
  return [...names].filter((name) => PLAIN.test(name)).sort();
}

async function issueNames(context: AdminContext): Promise<string[]> {
  return (await context.checks()).checks
    .map(({ name }) => name)
    .filter((name) => PLAIN.test(name))
    .sort();
}
