import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { readHead } from '../store/operator-log/head.ts';
import { operatorLogPlaces, readLogText } from '../store/operator-log/open.ts';
import { verifyLog } from '../store/operator-log/verify.ts';
import type { AdminContext } from './context.ts';
import { readCount } from './read-count.ts';

export function logVerify(context: AdminContext): Command {
  return new Command('verify')
    .description('says whether a line of the operator log was changed, removed, moved, inserted, or cut off, and which')
    .option('--from <line>', 'tell only of this line and those behind it: what was wrong before is known', readCount, 1)
    .addHelpText('after', EXAMPLES)
    .action((options: { from: number }) => verify(context, options.from));
}

const EXAMPLES = `
Each line holds the hash of the one before it, and the head (operator-log.head in the folder of the site's CA) the last one's hash and
how many there are. Who can write to both can make both anew: that is found by comparing with what was sent to the journal.

Exit status: 0 when the log is whole, 1 when something is wrong: each line is named on standard output, with --json in .findings.

Examples:
  penguindome log verify
  penguindome log verify --from 1200
  penguindome log verify --json | jq '.findings[]'`;

async function verify(context: AdminContext, from: number): Promise<void> {
  const { output } = context;
  const { path, head: headPath } = operatorLogPlaces(await context.settings());
  // the head first: commands that run meanwhile make the log longer than it, which is well
  const head = await readHead(headPath);
  const { entries, findings, remarks } = verifyLog(await readLogText(path), head);
  const told = findings.filter(({ line }) => line >= from);
  if (output.wantsJson) output.json({ file: path, entries, head: head ?? null, findings: told, remarks });
  else {
    for (const remark of remarks) output.note(remark);
    for (const { line, kind, text } of told) output.line(`${path}:${line}: ${kind}: ${text}`);
    if (told.length === 0) output.line(`${path}: ${entries} entries, none changed, missing or cut off`);
  }
  if (told.length > 0) {
    throw new OperatorError(
      `cannot vouch for the operator log: ${told.length} ${told.length === 1 ? 'thing is' : 'things are'} wrong with ${path}`,
    );
  }
}
