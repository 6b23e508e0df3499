import { Command } from 'commander';
import type { CheckBook, KnownCheck } from '../core/check-book.ts';
import type { Store } from '../store/port.ts';
import { severityColor } from './colors.ts';
import type { AdminContext, Output } from './context.ts';
import { showOrigin, showState } from './find-check.ts';
import type { AnswerCounts } from './show-answer.ts';

export function checksList(context: AdminContext): Command {
  return new Command('list')
    .description('the checks: whether each is on, where it comes from, and what it said of the hosts')
    .option('--on', 'only those that are on')
    .addHelpText('after', EXAMPLES)
    .action((options: { on?: boolean }) => listChecks(context, options.on === true));
}

const EXAMPLES = `
PASS, FAIL and UNKNOWN count the hosts by what was last said of each; a check that is off, or that the product raises by itself, has
none. What is wrong with a check file is named on standard error, and with --json in .problems.

Examples:
  penguindome checks list
  penguindome checks list --on
  penguindome checks list --json | jq -r '.checks[] | select(.off_by == "profile") | .name'`;

/** What was said of the stored hosts. */
interface Fleet {
  answers: Map<string, AnswerCounts>;
  /** that were judged at all */
  judged: number;
  /** by another set of checks than is in force */
  otherwise: number;
}

async function listChecks(context: AdminContext, onOnly: boolean): Promise<void> {
  const { output } = context;
  const book = await context.checks();
  const fleet = await countFleet(await context.store(), book);
  const rows = book.checks
    .filter(({ on }) => on || !onOnly)
    .map((check) => ({ ...check, hosts: answersOf(check, fleet) }));
  const { judged, otherwise } = fleet;
  for (const problem of book.problems) output.note(problem);
  if (output.wantsJson) {
    const { profile, problems } = book;
    output.json({ profile, judged_hosts: judged, judged_otherwise: otherwise, checks: rows, problems });
    return;
  }
  output.table(
    ['CHECK', 'SEVERITY', 'PROFILES', 'STATE', 'PASS', 'FAIL', 'UNKNOWN', 'FROM'],
    rows.map((row) => cells(output, row)),
  );
  if (otherwise > 0) {
    const whom = otherwise === judged ? `all ${judged} hosts` : `${otherwise} of ${judged} hosts`;
    output.note(`${whom} were last judged by other checks than these; \`penguindome issues audit\` judges them again`);
  }
}

async function countFleet({ hosts }: Pick<Store, 'hosts'>, { version }: CheckBook): Promise<Fleet> {
  const fleet: Fleet = { answers: new Map(), judged: 0, otherwise: 0 };
  for await (const { checks } of hosts.list()) {
    if (checks === undefined) continue;
    fleet.judged += 1;
    if (checks.version !== version) fleet.otherwise += 1;
    for (const [name, { answer }] of Object.entries(checks.results)) {
      const counts = fleet.answers.get(name) ?? { pass: 0, fail: 0, unknown: 0 };
      counts[answer] += 1;
      fleet.answers.set(name, counts);
    }
  }
  return fleet;
}

function answersOf({ name, on, rule }: KnownCheck, { answers }: Fleet): AnswerCounts | null {
  return on && rule !== null ? (answers.get(name) ?? { pass: 0, fail: 0, unknown: 0 }) : null;
}

function cells(output: Output, check: KnownCheck & { hosts: AnswerCounts | null }): string[] {
  const { name, severity, profiles, hosts } = check;
  return [
    name,
    severityColor(output, severity, severity),
    profiles?.join(', ') ?? 'all',
    showState(check),
    ...(hosts === null ? ['-', '-', '-'] : [hosts.pass, hosts.fail, hosts.unknown].map(String)),
    showOrigin(check),
  ];
}
