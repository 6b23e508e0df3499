import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { days, type Milliseconds, parseDuration } from '../core/duration.ts';
import type { Token } from '../core/enrollment.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import { composeToken } from './compose-token.ts';
import type { AdminContext } from './context.ts';
import { readCount } from './read-count.ts';
import { showTime } from './show-time.ts';

interface TokenOptions {
  expires: Milliseconds;
  uses: number;
  pattern?: string;
  approve?: boolean;
  note?: string;
  out?: string;
}

export function enrollmentToken(context: AdminContext): Command {
  return new Command('token')
    .description('makes a token that lets machines enrol, and prints it')
    .addOption(
      new Option('--expires <duration>', 'how long it lets them in').argParser(readExpiry).default(days(7), '7d'),
    )
    .option('--uses <n>', 'how many machines', readCount, 1)
    .option('--pattern <glob>', "only machines of these host names, such as 'lap-*'", readPattern)
    .addOption(new Option('--approve', 'each at once').conflicts('pending'))
    .option('--pending', 'each when `penguindome enrollment approve` was said for it (the default)')
    .option('--note <text>', 'what it is for, shown by `enrollment list`')
    .option('--out <file>', 'into a new file (mode 0600) instead of standard output')
    .addHelpText('after', EXAMPLES)
    .action((options: TokenOptions) => makeToken(context, options));
}

const EXAMPLES = `
The token carries all that a machine needs to trust this server. It is a secret: hand it over in a file or on standard input,
never on a command line. Only a hash of it is stored, so that it cannot be shown again. A name that another machine has, or one
known from the original client, waits for approval whatever the token says.

Examples:
  penguindome enrollment token --approve > token
  penguindome enrollment token --approve | ssh root@lap-17 penguindome-agent enroll
  penguindome enrollment token --uses 40 --expires 30d --pattern 'lap-*' --note 'new laptops' --out token`;

const LONGEST = days(3650);

async function makeToken(context: AdminContext, options: TokenOptions): Promise<void> {
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
  const { id, expires_at, uses, pattern, approve } = token;
  if (output.wantsJson) {
    const shown = { id, expires_at, uses, ...(pattern === undefined ? {} : { pattern }), approve };
    output.json({ ...shown, ...(out === undefined ? { token: text } : { file: out }) });
    return;
  }
  if (out === undefined) output.line(text);
  const machines = `${uses} machine${uses === 1 ? '' : 's'}${pattern === undefined ? '' : ` named ${pattern}`}`;
  const where = out === undefined ? '' : ` in ${out}`;
  output.note(
    `token ${id}${where}: ${machines}, until ${showTime(expires_at)}, ${approve ? 'approved at once' : 'each waits for approval'}`,
  );
}

function readExpiry(text: string): Milliseconds {
  const duration = parseDuration(text);
  if (duration === undefined || duration === 0 || duration > LONGEST) {
    throw new InvalidArgumentError('Expected a number and s, m, h or d, such as 7d, of at most 3650d.');
  }
  return duration;
}

function readPattern(text: string): string {
  if (!/^[A-Za-z0-9_.*?-]{1,253}$/.test(text)) {
    throw new InvalidArgumentError("Expected a host name in which * and ? may stand, such as 'lap-*'.");
  }
  return text;
}
