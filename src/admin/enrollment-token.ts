import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { Token } from '../core/enrollment.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import { composeToken } from './compose-token.ts';
import type { AdminContext } from './context.ts';
import { describeToken, tokenShown } from './describe-token.ts';
import { addTokenOptions, type TokenOptions } from './token-options.ts';

interface Options extends TokenOptions {
  out?: string;
}

export function enrollmentToken(context: AdminContext): Command {
  const verb = new Command('token').description('makes a token that lets machines enrol, and prints it');
  return addTokenOptions(verb)
    .option('--out <file>', 'into a new file (mode 0600) instead of standard output')
    .addHelpText('after', EXAMPLES)
    .action((options: Options) => makeToken(context, options));
}

const EXAMPLES = `
The token carries all that a machine needs to trust this server. It is a secret: hand it over in a file or on standard input,
never on a command line. Only a hash of it is stored, so that it cannot be shown again. A name that another machine has, or one
known from the original client, waits for approval whatever the token says.

Examples:
  penguindome enrollment token --approve > token
  penguindome enrollment token --approve | ssh root@lap-17 penguindome-agent enroll
  penguindome enrollment token --uses 40 --expires 30d --pattern 'lap-*' --note 'new laptops' --out token`;

async function makeToken(context: AdminContext, options: Options): Promise<void> {
  const { token, text } = await composeToken(context, { ...options, approve: options.approve === true });
  const store = await context.store();
  // The file first: a token that cannot be handed over must not be left in the store.
  if (options.out !== undefined) await writeToken(options.out, text);
  await store.tokens.insert(token);
  printToken(context, token, text, options.out);
}

async function writeToken(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, `${text}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new OperatorError(`cannot write the token to ${file}: ${messageOf(cause)}`, { cause });
  }
}

function printToken({ output }: AdminContext, token: Token, text: string, out: string | undefined): void {
  if (output.wantsJson) {
    const shown = tokenShown(token);
    output.json({ ...shown, ...(out === undefined ? { token: text } : { file: out }) });
    return;
  }
  if (out === undefined) output.line(text);
  output.note(describeToken(token, out === undefined ? '' : ` in ${out}`));
}
