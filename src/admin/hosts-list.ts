import { Command } from 'commander';
import type { Host } from '../core/host.ts';
import type { Store } from '../store/port.ts';
import { agentVersionOf } from './agent-version-of.ts';
import type { AdminContext } from './context.ts';
import { type AnswerCounts, countAnswers } from './show-answer.ts';
import { showAge } from './show-time.ts';

export function hostsList(context: AdminContext): Command {
  return new Command('list')
    .description('the hosts: when they last reported, which version of the agent they run, and how their checks stand')
    .option('--silent', 'only those with the issue not-reporting')
    .option('--agent <version>', 'only those that run this version of the agent; unknown: those that do not say')
    .addHelpText('after', EXAMPLES)
    .action((options: Wanted) => listHosts(context, options));
}

interface Wanted {
  silent?: boolean;
  agent?: string;
}

const EXAMPLES = `
Examples:
  penguindome hosts list
  penguindome hosts list --silent
  penguindome hosts list --agent 0.1.0
  penguindome hosts list --json | jq 'group_by(.agent_version) | map({version: .[0].agent_version, hosts: length})'
  penguindome hosts list --json | jq -r '.[] | select(.checks.fail > 0) | .hostname'`;

interface HostRow {
  hostname: string;
  host_id: string | null;
  /** how it speaks to the server */
  protocol: 'v1' | 'v2';
  /** null: it does not say */
  agent_version: string | null;
  submitted_at: Date | null;
  suspended: boolean;
  lost_at: Date | null;
  checks: AnswerCounts;
  issues: string[];
}

async function listHosts(context: AdminContext, wanted: Wanted): Promise<void> {
  const store = await context.store();
  const issues = await openIssues(store);
  const rows: HostRow[] = [];
  for await (const host of store.hosts.list()) {
    const row = rowOf(host, issues.get(host.hostname) ?? []);
    if (isWanted(row, wanted)) rows.push(row);
  }
  if (context.output.wantsJson) context.output.json(rows);
  else printRows(context, rows, wanted);
}

function isWanted({ issues, agent_version }: HostRow, { silent, agent }: Wanted): boolean {
  if (silent === true && !issues.includes('not-reporting')) return false;
  return agent === undefined || agent === (agent_version ?? 'unknown');
}

async function openIssues({ issues }: Store): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>();
  for await (const { hostname, name } of issues.listOpen()) names.set(hostname, [...(names.get(hostname) ?? []), name]);
  return names;
}

function rowOf(host: Host, issues: string[]): HostRow {
  const { hostname, identity, submitted_at, suspended, checks } = host;
  return {
    hostname,
    host_id: identity?.host_id ?? null,
    protocol: identity === undefined ? 'v1' : 'v2',
    agent_version: agentVersionOf(host) ?? null,
    submitted_at: submitted_at ?? null,
    suspended: suspended === true,
    lost_at: identity?.lost_at ?? null,
    checks: countAnswers(checks?.results ?? {}),
    issues,
  };
}

function printRows({ output, clock }: AdminContext, rows: HostRow[], wanted: Wanted): void {
  if (rows.length === 0) {
    const all = wanted.silent !== true && wanted.agent === undefined;
    output.note(all ? 'no hosts yet; `penguindome enrollment token --help` says how one comes in' : 'no such hosts');
    return;
  }
  const now = clock.now();
  output.table(
    ['HOST', 'REPORTED', 'BY', 'AGENT', 'PASS', 'FAIL', 'UNKNOWN', 'OPEN ISSUES'],
    rows.map(({ hostname, submitted_at, protocol, agent_version, suspended, lost_at, checks, issues }) => [
      lost_at !== null ? `${hostname} (lost)` : suspended ? `${hostname} (suspended)` : hostname,
      showAge(submitted_at ?? undefined, now),
      protocol,
      agent_version ?? '-',
      ...[checks.pass, checks.fail, checks.unknown].map(String),
      issues.join(', ') || '-',
    ]),
  );
}
