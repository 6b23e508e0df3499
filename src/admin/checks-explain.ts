import { Command } from 'commander';
import type { OpenIssue } from '../core/audit.ts';
import type { CheckResult, Judgement } from '../core/check.ts';
import type { Host } from '../core/host.ts';
import type { AdminContext } from './context.ts';
import { findCheck } from './find-check.ts';
import { findReportedHost } from './find-host.ts';
import { printExplanation } from './print-explanation.ts';

export function checksExplain(context: AdminContext): Command {
  return new Command('explain')
    .description('how a check comes to its answer about a host, step by step, and what follows from it')
    .argument('<host>', 'its name')
    .argument('<check>', 'its name')
    .addHelpText('after', EXAMPLES)
    .action((hostname: string, name: string) => explainCheck(context, hostname, name));
}

const EXAMPLES = `
Judges what the host last reported by the check as it is now, and changes nothing. What was not asked, because an earlier step decided,
is left out; with --json it is null, and .path itself where no query decides.

Examples:
  penguindome checks explain lap-17 firewall-disabled
  penguindome checks explain lap-17 firewall-disabled --json | jq .path.query`;

async function explainCheck(context: AdminContext, hostname: string, name: string): Promise<void> {
  const { output, clock } = context;
  const book = await context.checks();
  const check = findCheck(book, name);
  const host = await findReportedHost(await context.store(), hostname);
  const path = book.trial(name)?.explain(host) ?? null;
  const stored = storedResult(book.recall(host), name);
  const explained = { hostname: host.hostname, check, path, stored, issue: await openIssue(context, host, name) };
  if (output.wantsJson) output.json(explained);
  else printExplanation(output, explained, clock.now());
}

function storedResult(checks: Judgement | undefined, name: string): CheckResult | null {
  return checks !== undefined && Object.hasOwn(checks.results, name) ? (checks.results[name] ?? null) : null;
}

async function openIssue(context: AdminContext, { hostname }: Host, name: string): Promise<OpenIssue | null> {
  const open = await (await context.audit()).open();
  return open.find((issue) => issue.hostname === hostname && issue.name === name) ?? null;
}
