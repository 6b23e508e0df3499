import { Command, Option } from 'commander';
import { type AuditOptions, type AuditReport, HIDDEN_BY, type HiddenBy, type OpenIssue } from '../core/audit.ts';
import { seconds } from '../core/duration.ts';
import { isSnoozed } from '../core/issue.ts';
import { bold, severityColor } from './colors.ts';
import type { AdminContext, Output } from './context.ts';
import { deliverAlerts } from './deliver-alerts.ts';
import { DECIDING, showAnswer, showValue } from './show-answer.ts';
import { showTime, showWait } from './show-time.ts';

interface Flags {
  host?: string[];
  issueName?: string[];
  ignoreFilters?: true;
  ignoreGracePeriod?: true;
  ignoreSnoozed?: true;
  ignoreSuspended?: true;
  displayRecent?: boolean;
  nodisplayRecent?: true;
  updateRecent?: boolean;
  noupdateRecent?: true;
  full?: true;
  email?: true;
  ifEnabled?: true;
}

export function issuesAudit(context: AdminContext): Command {
  return new Command('audit')
    .description('opens and closes issues as the checks say, and prints by host those that are to be told now')
    .option('--host <host...>', 'print only issues of these hosts')
    .option('--issue-name <name...>', 'print only issues of these names')
    .option('--ignore-filters', 'print not-reporting though another machine of the same user reports')
    .option('--ignore-grace-period', 'print issues whose grace period is not over')
    .option(
      '--display-recent',
      'print what was told less than its alert frequency ago (at a terminal: unless told not to)',
    )
    .option('--no-display-recent', 'print no such')
    .option('--update-recent', 'mark what is printed as told, so that it stays quiet (unless at a terminal)')
    .option('--no-update-recent', 'mark nothing')
    .option('--ignore-snoozed', 'print snoozed issues')
    .option('--ignore-suspended', 'print issues of suspended hosts')
    .option('--full', 'print all but those of suspended hosts')
    .option('--email', 'mail users the issues of their own hosts, whatever delivery.user_mail says')
    .option('--if-enabled', 'do nothing where settings say audit.enabled: false (for the timer)')
    .addOption(new Option('--nodisplay-recent', 'as the original spells it').hideHelp())
    .addOption(new Option('--noupdate-recent', 'as the original spells it').hideHelp())
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags) => audit(context, flags));
}

const EXAMPLES = `
Hosts are judged as their reports arrive. The audit adds what time alone changes: hosts that fell silent, answers that stayed
unknown for too long, certificates that end soon, patches that wait; and it evaluates the stored hosts anew where checks were changed.

Not printed are open issues of suspended hosts, snoozed ones, those whose grace period (in business time) is not over, those that were
told less than their alert frequency ago, and not-reporting of a host whose user has another one that reports. The last line counts them.
At a terminal (standard error is one) what was told lately is printed too, and nothing is marked as told.
With --json all open issues are in .issues; those that would not be printed say why in .hidden_by.

Exit status: 0 when the audit ran, whatever is open. What kept a part of it from running, such as a bad check file, is named
on standard error, and with --json in .problems.

What it tells also goes to the receivers of the settings (docs/delivery.md), but from a terminal only with --email or --update-recent. A message that fails is kept,
shown by \`penguindome delivery list\`, and tried again; with --json .delivery counts.

Examples:
  penguindome issues audit
  penguindome issues audit --full --host lap-17
  penguindome issues audit --json | jq -r '.issues[] | select(.severity == "high") | .hostname + " " + .name'`;

async function audit(context: AdminContext, flags: Flags): Promise<void> {
  const { output } = context;
  if (flags.ifEnabled === true && !(await context.settings()).audit.enabled) {
    if (output.wantsJson) output.json({ enabled: false });
    else output.line('audit.enabled is false: nothing was audited');
    return;
  }
  const audit = await context.audit();
  const marks = flags.noupdateRecent === true ? false : (flags.updateRecent ?? !output.attended);
  // What is told is kept before it is marked: deliverAlerts marks.
  const report = await audit.run({ ...optionsOf(flags, output), progress: progressOn(context) });
  for (const problem of report.problems) output.note(problem);
  if (!output.wantsJson) printReport(output, report);
  const { alerts, at, ...rest } = report;
  let marked = false;
  const mark = async () => {
    if (!marks) return;
    await (await context.store()).issues.markAlerted(alerts, at);
    marked = true;
  };
  const { email = false } = flags;
  const sends = marks || email;
  const delivery = sends ? await deliverAlerts(context, alerts, { at, email, mark }) : undefined;
  if (!output.wantsJson) return;
  const issues = rest.issues.map((issue) => ({ ...issue, hidden_by: issue.hidden_by ?? null }));
  output.json({ at, ...rest, issues, marked, ...(delivery && { delivery }) });
}

function optionsOf(flags: Flags, { attended }: Output): AuditOptions {
  const { full = false, host, issueName } = flags;
  const recent = flags.nodisplayRecent === true ? false : (flags.displayRecent ?? attended);
  const ignored: Record<HiddenBy, boolean> = {
    suspended: flags.ignoreSuspended === true,
    snoozed: full || flags.ignoreSnoozed === true,
    grace: full || flags.ignoreGracePeriod === true,
    recent: full || recent,
    filter: full || flags.ignoreFilters === true,
  };
  return {
    ignore: HIDDEN_BY.filter((reason) => ignored[reason]),
    ...(host && { hosts: host }),
    ...(issueName && { names: issueName }),
  };
}

const BETWEEN = seconds(2);

/** A line now and then, for somebody who waits. */
function progressOn({ output, clock }: AdminContext): (text: string) => void {
  let said = clock.now();
  return (text) => {
    const now = clock.now();
    if (!output.attended || now.getTime() - said.getTime() < BETWEEN) return;
    said = now;
    output.note(`${text} …`);
  };
}

function printReport(output: Output, report: AuditReport): void {
  const hosts = byHost(report.alerts);
  for (const [hostname, issues] of hosts) {
    // At once: what a reader has not taken yet waits in memory, and a line alone takes several times its own room.
    output.line(
      [bold(output, hostname), ...issues.flatMap((issue) => linesOf(output, issue, report.at)), ''].join('\n'),
    );
  }
  const { alerts, issues, opened, closed } = report;
  const open = alerts.length === 0 ? 'nothing to tell' : `${alerts.length} open on ${count(hosts.size, 'host')}`;
  const told = issues.length === 0 ? 'no open issues' : open;
  output.line(`${told}; opened ${opened.length}, closed ${closed.length}`);
  printHidden(output, report);
}

const WHY: Record<HiddenBy, string> = {
  suspended: 'of suspended hosts (--ignore-suspended)',
  snoozed: 'snoozed (--ignore-snoozed)',
  grace: 'in their grace period (--ignore-grace-period)',
  recent: 'told already within their alert frequency (--display-recent)',
  filter: 'of machines whose user has another one that reports (--ignore-filters)',
};

function printHidden(output: Output, { issues, alerts, hidden }: AuditReport): void {
  if (issues.length === alerts.length) return;
  const parts = HIDDEN_BY.filter((reason) => hidden[reason] > 0).map((reason) => `${hidden[reason]} ${WHY[reason]}`);
  output.line(`${issues.length - alerts.length} more open, not shown: ${parts.join(', ')}`);
}

function byHost(issues: readonly OpenIssue[]): Map<string, OpenIssue[]> {
  const hosts = new Map<string, OpenIssue[]>();
  for (const issue of issues) {
    const known = hosts.get(issue.hostname);
    if (known === undefined) hosts.set(issue.hostname, [issue]);
    else known.push(issue);
  }
  return hosts;
}

function linesOf(output: Output, issue: OpenIssue, now: Date): string[] {
  const notes = [
    issue.severity,
    `since ${showTime(issue.opened_at)}`,
    ...(issue.due_at > now ? [`grace ends ${showWait(issue.due_at, now)}`] : []),
    ...(isSnoozed(issue, now) ? [`snoozed until ${showTime(issue.unsnooze_at)}`] : []),
    ...(issue.linked_to === undefined ? [] : [`the user's ${issue.linked_to} reports`]),
    ...(issue.by_hand === true ? ['opened by hand'] : []),
    ...(issue.answer === 'unknown' ? [showAnswer({ answer: issue.answer, fails: true })] : []),
    ...(issue.suspended ? ['host suspended'] : []),
  ];
  const evidence = Object.entries(issue.evidence ?? {});
  return [
    `  ${severityColor(output, issue.severity, issue.name)}: ${issue.title} (${notes.join(', ')})`,
    ...(issue.reason === undefined ? [] : [`      ${issue.reason}`]),
    ...evidence.map(([path, value]) => `      ${path} = ${showValue(value, DECIDING)}`),
    ...(issue.remediation === undefined ? [] : [`      → ${issue.remediation.trim()}`]),
  ];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
