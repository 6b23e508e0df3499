import { Command } from 'commander';
import type { CheckResult } from '../core/check.ts';
import type { Trial } from '../core/check-book.ts';
import type { Host } from '../core/host.ts';
import type { Store } from '../store/port.ts';
import type { AdminContext, Output } from './context.ts';
import { findReportedHost } from './find-host.ts';
import { type AnswerCounts, showAnswer, showEvidence } from './show-answer.ts';

export function checksTest(context: AdminContext): Command {
  return new Command('test')
    .description('tries a check file on the stored hosts, and changes nothing')
    .argument('<file>', 'the file; it need not be where the server looks')
    .option('--host <host>', 'only on this host; may be given again', (name, names: string[]) => [...names, name], [])
    .addHelpText('after', EXAMPLES)
    .action((file: string, { host }: { host: string[] }) => testCheck(context, file, host));
}

const EXAMPLES = `
A file that overrides a check is tried as that check with what it changes. A check that is off, by its file or the profile, is tried
as if it were on. No issue is opened or closed.

Exit status: 0 when the check was tried, whatever it answered; 1 where the file cannot be used, with line and reason.

Examples:
  penguindome checks test ./no-swap.yaml
  penguindome checks test ./no-swap.yaml --host lap-17 --host lap-18
  penguindome checks test ./no-swap.yaml --json | jq -r '.hosts[] | select(.answer == "fail") | .hostname'`;

interface Tried extends AnswerCounts {
  hosts: ({ hostname: string } & CheckResult)[];
  /** how many it is not for */
  not_for: number;
}

async function testCheck(context: AdminContext, file: string, hostnames: string[]): Promise<void> {
  const { output, signal } = context;
  const trial = await (await context.checks()).tryFile(file);
  const store = await context.store();
  const tried: Tried = { pass: 0, fail: 0, unknown: 0, not_for: 0, hosts: [] };
  for await (const host of hostnames.length === 0 ? allHosts(store) : namedHosts(store, hostnames)) {
    signal.throwIfAborted();
    tryOn(host, trial, tried);
  }
  tried.hosts.sort((a, b) => rank(a) - rank(b) || (a.hostname < b.hostname ? -1 : 1));
  if (output.wantsJson) output.json({ check: trial.check, ...tried });
  else print(output, trial, tried);
}

function tryOn(host: Host, trial: Trial, tried: Tried): void {
  const result = trial.judge(host);
  if (result === undefined) {
    tried.not_for += 1;
    return;
  }
  tried[result.answer] += 1;
  tried.hosts.push({ hostname: host.hostname, ...result });
}

/** Those that have reported: of the others there is nothing to say. */
async function* allHosts({ hosts }: Store): AsyncIterable<Host> {
  for await (const host of hosts.list()) if (host.submitted_at !== undefined) yield host;
}

async function* namedHosts(store: Store, hostnames: string[]): AsyncIterable<Host> {
  for (const hostname of new Set(hostnames)) yield await findReportedHost(store, hostname);
}

function rank({ answer, fails }: CheckResult): number {
  if (answer === 'fail') return 0;
  if (answer === 'pass') return 3;
  return fails ? 1 : 2;
}

function print(output: Output, { check }: Trial, { hosts, not_for, ...counts }: Tried): void {
  if (hosts.length > 0) {
    output.table(
      ['HOST', 'ANSWER', 'EVIDENCE'],
      hosts.map((each) => [each.hostname, showAnswer(each), showEvidence(each)]),
    );
    output.line();
  }
  const others = not_for === 0 ? '' : `; ${not_for} that it is not for`;
  output.line(`${check.name}: ${counts.fail} fail, ${counts.unknown} unknown, ${counts.pass} pass${others}`);
  if (check.off_by === 'file') output.note('the file says `enabled: false`: in force, it would be off');
}
