import { Command } from 'commander';
import type { OpenIssue } from '../core/audit.ts';
import { isSameName } from '../core/host.ts';
import type { Issue } from '../core/issue.ts';
import type { AdminContext } from './context.ts';
import { readCount } from './read-count.ts';
import { spellingsOf } from './select-issues.ts';
import { showTime } from './show-time.ts';

interface ListOptions {
  host?: string[];
  issueName?: string[];
  all?: boolean;
  limit: number;
}

export function issuesList(context: AdminContext): Command {
  return new Command('list')
    .description('the open issues, as the last report and the last audit left them')
    .option('--host <host...>', 'only of these hosts')
    .option('--issue-name <name...>', 'only issues of these names')
    .option('--all', 'closed ones too, newest first')
    .option('--limit <n>', 'with --all: how many at most', readCount, 100)
    .addHelpText('after', EXAMPLES)
    .action((options: ListOptions) => listIssues(context, options));
}

const EXAMPLES = `
Opens and closes nothing; \`penguindome issues audit\` does.

Examples:
  penguindome issues list
  penguindome issues list --issue-name firewall-disabled unencrypted-hard-drive
  penguindome issues list --host lap-17 --all`;

async function listIssues(context: AdminContext, options: ListOptions): Promise<void> {
  if (options.all === true) await listEpisodes(context, options);
  else await listOpen(context, options);
}

async function listOpen(context: AdminContext, { host, issueName }: ListOptions): Promise<void> {
  const { output } = context;
  const issues = (await (await context.audit()).open()).filter(
    ({ hostname, name }) =>
      host?.some((wanted) => isSameName(wanted, hostname)) !== false && issueName?.includes(name) !== false,
  );
  if (output.wantsJson) output.json(issues);
  else if (issues.length === 0) output.note('no open issues');
  else output.table(['HOST', 'ISSUE', 'SEVERITY', 'SINCE', 'TITLE'], issues.map(openRow));
}

function openRow({ hostname, name, severity, opened_at, title }: OpenIssue): string[] {
  return [hostname, name, severity, showTime(opened_at), title];
}

async function listEpisodes(context: AdminContext, { host, issueName, limit }: ListOptions): Promise<void> {
  const { output } = context;
  const store = await context.store();
  const issues = await store.issues.history({
    limit,
    ...(host === undefined ? {} : { hostnames: await spellingsOf(store, host) }),
    ...(issueName === undefined ? {} : { names: issueName }),
  });
  if (output.wantsJson) output.json(issues);
  else if (issues.length === 0) output.note('no issues');
  else output.table(['HOST', 'ISSUE', 'OPENED', 'CLOSED'], issues.map(episodeRow));
}

function episodeRow({ hostname, name, opened_at, closed_at }: Issue): string[] {
  return [hostname, name, showTime(opened_at), closed_at === undefined ? 'open' : showTime(closed_at)];
}
