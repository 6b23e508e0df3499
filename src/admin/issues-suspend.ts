import { Command } from 'commander';
import type { AdminContext } from './context.ts';
import { findHost, unknownHost } from './find-host.ts';

export function issuesSuspend(context: AdminContext): Command {
  return suspending(context, { verb: 'suspend', suspended: true })
    .description('keeps all issues of hosts quiet until they next report')
    .addHelpText('after', EXAMPLES);
}

const EXAMPLES = `
For machines that are off for good reason. Whatever they next report, be it that nothing has changed, ends it.

Examples:
  penguindome issues suspend lap-17
  penguindome issues suspend lap-17 lap-18`;

/** `suspend` and `unsuspend`. Nothing is done where one of the hosts is not known. */
export function suspending(
  context: AdminContext,
  { verb, suspended }: { verb: 'suspend' | 'unsuspend'; suspended: boolean },
): Command {
  return new Command(verb).argument('<host...>', 'their names').action(async (names: string[]) => {
    const { output } = context;
    const store = await context.store();
    const hosts = await Promise.all(names.map((name) => findHost(store, name)));
    context.concerns(hosts.map(({ hostname }) => hostname));
    const done: { hostname: string; suspended: boolean; changed: boolean }[] = [];
    for (const { hostname, suspended: before } of hosts) {
      if (!(await store.hosts.suspend(hostname, suspended))) throw unknownHost(hostname);
      done.push({ hostname, suspended, changed: (before === true) !== suspended });
    }
    if (output.wantsJson) output.json(done);
    else for (const each of done) output.line(`${each.hostname}: ${describe(each)}`);
  });
}

function describe({ suspended, changed }: { suspended: boolean; changed: boolean }): string {
  if (suspended) return changed ? 'suspended until it next reports' : 'suspended already';
  return changed ? 'no longer suspended' : 'not suspended';
}
