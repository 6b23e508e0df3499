import { Command } from 'commander';
import type { AuditReport, OpenIssue } from '../core/audit.ts';
import { bold, severityColor } from './colors.ts';
import type { AdminContext, Output } from './context.ts';
import { DECIDING, showAnswer, showValue } from './show-answer.ts';
import { showTime, showWait } from './show-time.ts';

export function issuesAudit(context: AdminContext): Command {
  return new Command('audit')
    .description('opens and closes issues as the checks say, and prints the open ones by host')
    .addHelpText('after', EXAMPLES)
    .action(() => audit(context));
}

const EXAMPLES = `
Hosts are judged as their reports arrive. The audit adds what time alone changes: hosts that fell silent, answers that stayed
unknown for too long, certificates that end soon; and it evaluates the stored hosts anew where checks were changed.

Exit status: 0 when the audit ran, whatever is open. What kept a part of it from running, such as a bad check file, is named
on standard error, and with --json in .problems.

Examples:
  penguindome issues audit
  penguindome issues audit --json | jq -r '.issues[] | select(.severity == "high") | .hostname + " " + .name'`;

async function audit(context: AdminContext): Promise<void> {
  const report = await (await context.audit()).run();
  for (const problem of report.problems) context.output.note(problem);
  if (context.output.wantsJson) context.output.json(report);
  else printReport(context, report);
}

function printReport({ output }: AdminContext, report: AuditReport): void {
  for (const [hostname, issues] of byHost(report.issues)) {
    output.line(bold(output, hostname));
    for (const issue of issues) printIssue(output, issue, report.at);
    output.line();
  }
  const hosts = byHost(report.issues).size;
  const open =
    report.issues.length === 0 ? 'no open issues' : `${report.issues.length} open on ${count(hosts, 'host')}`;
  output.line(`${open}; opened ${report.opened.length}, closed ${report.closed.length}`);
}

function byHost(issues: readonly OpenIssue[]): Map<string, OpenIssue[]> {
  const hosts = new Map<string, OpenIssue[]>();
  for (const issue of issues) hosts.set(issue.hostname, [...(hosts.get(issue.hostname) ?? []), issue]);
  return hosts;
}

function printIssue(output: Output, issue: OpenIssue, now: Date): void {
  const notes = [
    issue.severity,
    `since ${showTime(issue.opened_at)}`,
    ...(issue.due_at > now ? [`grace ends ${showWait(issue.due_at, now)}`] : []),
    ...(issue.answer === 'unknown' ? [showAnswer({ answer: issue.answer, fails: true })] : []),
    ...(issue.suspended ? ['host suspended'] : []),
  ];
  output.line(`  ${severityColor(output, issue.severity, issue.name)}: ${issue.title} (${notes.join(', ')})`);
  if (issue.reason !== undefined) output.line(`      ${issue.reason}`);
  for (const [path, value] of Object.entries(issue.evidence ?? {}))
    output.line(`      ${path} = ${showValue(value, DECIDING)}`);
  if (issue.remediation !== undefined) output.line(`      → ${issue.remediation.trim()}`);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
