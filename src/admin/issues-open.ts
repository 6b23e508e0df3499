import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { findHost } from './find-host.ts';

export function issuesOpen(context: AdminContext): Command {
  return new Command('open')
    .description('opens issues by hand')
    .requiredOption('--host <host...>', 'of these hosts')
    .requiredOption('--issue-name <name...>', 'issues of these names; there need not be a check of that name')
    .addHelpText('after', EXAMPLES)
    .action((options: { host: string[]; issueName: string[] }) => openIssues(context, options));
}

const EXAMPLES = `
An issue of a check closes when the host's next report passes it; one of no check when somebody closes it.

Examples:
  penguindome issues open --host lap-17 --issue-name return-to-office
  penguindome issues open --host lap-17 lap-18 --issue-name firewall-disabled`;

/** As check files have them. */
const NAME = /^[a-z0-9][a-z0-9-]{0,99}$/;

async function openIssues(context: AdminContext, options: { host: string[]; issueName: string[] }): Promise<void> {
  const { output, clock } = context;
  const strange = options.issueName.find((name) => !NAME.test(name));
  if (strange !== undefined) {
    throw new OperatorError(
      `cannot open an issue named ${JSON.stringify(strange)}: expected lower-case letters, digits and hyphens`,
      { exitCode: EXIT.usage },
    );
  }
  const store = await context.store();
  const hosts = await Promise.all(options.host.map((name) => findHost(store, name)));
  context.concerns(hosts.map(({ hostname }) => hostname));
  const at = clock.now();
  const done: { hostname: string; name: string; opened: boolean }[] = [];
  for (const { hostname } of hosts) {
    for (const name of options.issueName) {
      done.push({ hostname, name, opened: await store.issues.openByHand(hostname, name, at) });
    }
  }
  if (output.wantsJson) output.json(done);
  else
    for (const { hostname, name, opened } of done)
      output.line(`${hostname} ${name}: ${opened ? 'opened' : 'open already'}`);
}
