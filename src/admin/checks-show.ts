import { Command } from 'commander';
import { stringify } from 'yaml';
import type { KnownCheck } from '../core/check-book.ts';
import { bold } from './colors.ts';
import type { AdminContext, Output } from './context.ts';
import { findCheck, showState } from './find-check.ts';

export function checksShow(context: AdminContext): Command {
  return new Command('show')
    .description('a check as it is in force: why it matters, its query, what to do, and the files that it is from')
    .argument('<name>', 'its name')
    .addHelpText('after', EXAMPLES)
    .action((name: string) => showCheck(context, name));
}

const EXAMPLES = `
Examples:
  penguindome checks show firewall-disabled
  penguindome checks show firewall-disabled --json | jq .rule.query`;

async function showCheck({ checks, output }: AdminContext, name: string): Promise<void> {
  const book = await checks();
  for (const problem of book.problems) output.note(problem);
  const check = findCheck(book, name);
  if (output.wantsJson) output.json(check);
  else print(output, check);
}

function print(output: Output, check: KnownCheck): void {
  for (const [name, value] of facts(check)) output.line(`${name.padEnd(15)} ${value}`);
  const { rationale, rule, remediation } = check;
  part(output, 'rationale', rationale);
  part(output, 'applies_to', rule?.applies_to);
  part(output, 'unknown', rule?.unknown);
  part(output, 'query', rule?.query);
  part(output, 'remediation', Object.keys(remediation).length === 0 ? undefined : remediation);
}

function facts(check: KnownCheck): [name: string, value: string][] {
  const { rule, replaces } = check;
  return [
    ['name', check.name],
    ['title', check.title],
    ['severity', check.severity],
    ['state', showState(check)],
    ['profiles', check.profiles?.join(', ') ?? 'all'],
    ['file', check.shipped ? `${check.file} (shipped)` : check.file],
    ...(replaces === null ? [] : ([['in place of', replaces]] satisfies [string, string][])),
    ...check.overridden_by.map((file): [string, string] => ['changed by', file]),
    ['tags', check.tags.join(', ') || '-'],
    ['grace_period', check.grace_period],
    ['alert_frequency', check.alert_frequency],
    ...(rule === null ? [['raised by', 'the product itself'] satisfies [string, string]] : []),
    ...(rule === null ? [] : ruleFacts(rule)),
  ];
}

function ruleFacts({ needs, unknown, on_unknown }: NonNullable<KnownCheck['rule']>): [string, string][] {
  return [
    ['needs', unknown === null ? needs.join(', ') : `${needs.join(', ')} (the query for unknown decides)`],
    ['on_unknown', on_unknown],
  ];
}

function part(output: Output, name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  const text = typeof value === 'string' ? value : stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
  const lines = text.trimEnd().split('\n');
  output.line();
  output.line(bold(output, name));
  for (const line of lines) output.line(`  ${line}`);
}
