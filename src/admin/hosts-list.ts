import { Command } from 'commander';
import type { Host } from '../core/host.ts';
import type { Store } from '../store/port.ts';
import type { AdminContext } from './context.ts';
import { type AnswerCounts, countAnswers } from './show-answer.ts';
import { showAge } from './show-time.ts';

export function hostsList(context: AdminContext): Command {
  return new Command('list')
    .description('the hosts: when they last reported, and how their checks stand')
    .option('--silent', 'only those with the issue not-reporting')
    .addHelpText('after', EXAMPLES)
    .action((options: { silent?: boolean }) => listHosts(context, options.silent === true));
}

const EXAMPLES = `
Examples:
  penguindome hosts list
  penguindome hosts list --silent
  penguindome hosts list --json | jq -r '.[] | select(.checks.fail > 0) | .hostname'`;

interface HostRow {
  hostname: string;
  host_id: string | null;
  /** how it speaks to the server */
  protocol: 'v1' | 'v2';
  submitted_at: Date | null;
  suspended: boolean;
  lost_at: Date | null;
  checks: AnswerCounts;
  issues: string[];
}

async function listHosts(context: AdminContext, silentOnly: boolean): Promise<void> {
  const store = await context.store();
  const issues = await openIssues(store);
  const rows: HostRow[] = [];
  for await (const host of store.hosts.list()) {
    const row = rowOf(host, issues.get(host.hostname) ?? []);
    if (!silentOnly || row.issues.includes('not-reporting')) rows.push(row);
  }
  if (context.output.wantsJson) context.output.json(rows);
  else printRows(context, rows);
}

async function openIssues({ issues }: Store): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>();
  for await (const { hostname, name } of issues.listOpen()) names.set(hostname, [...(names.get(hostname) ?? []), name]);
  return names;
}

function rowOf({ hostname, identity, submitted_at, suspended, checks }: Host, issues: string[]): HostRow {
  return {
    hostname,
    host_id: identity?.host_id ?? null,
    protocol: identity === undefined ? 'v1' : 'v2',
    submitted_at: submitted_at ?? null,
    suspended: suspended === true,
    lost_at: identity?.lost_at ?? null,
    checks: countAnswers(checks?.results ?? {}),
    issues,
  };
}

function printRows({ output, clock }: AdminContext, rows: HostRow[]): void {
  if (rows.length === 0) {
    output.note('no hosts yet; `penguindome enrollment token --help` says how one comes in');
    return;
  }
  const now = clock.now();
  output.table(
    ['HOST', 'REPORTED', 'BY', 'PASS', 'FAIL', 'UNKNOWN', 'OPEN ISSUES'],
    rows.map(({ hostname, submitted_at, protocol, suspended, lost_at, checks, issues }) => [
      lost_at !== null ? `${hostname} (lost)` : suspended ? `${hostname} (suspended)` : hostname,
      showAge(submitted_at ?? undefined, now),
      protocol,
      ...[checks.pass, checks.fail, checks.unknown].map(String),
      issues.join(', ') || '-',
    ]),
  );
}
