import { basename } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { days, hours, type Milliseconds, parseDuration } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import { LARGEST_FILE, LONGEST_ORDER_DAYS } from '../wire/v2/order.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { checkOrderFiles, type OrderFile, orderFile, readOrderFile } from './order-files.ts';
import { addOrderOptions, type OrderOptions } from './order-options.ts';
import { type Selected, selectTargets, targetingCommand } from './order-targets.ts';
import { tellOrdered } from './tell-ordered.ts';
import { commandWish } from './v1/client-terms.ts';
import { orderBoth } from './v1/order-both.ts';
import { idsOf, waitForOrder } from './wait-for-order.ts';

interface CommandOptions extends OrderOptions, Selected {
  script?: string;
  timeout: Milliseconds;
  wait?: true;
  waitFor?: Milliseconds;
}

const MOST_TIMEOUT = days(7);

/** `penguindome command`: runs a program once on hosts, as root. */
export function command(context: AdminContext): Command {
  const verb = targetingCommand('command')
    .description('have hosts run a shell command or a script once, as root, and report what came of it')
    .argument('[shell]', 'a line for /bin/sh, as one argument')
    .option('--script <file>', 'instead: a script that begins with #!, or a program; - for standard input')
    .addOption(
      new Option('--timeout <duration>', 'ended when it takes longer').argParser(readTimeout).default(hours(1), '1h'),
    )
    .option('--wait', 'show what each host says as it comes; the exit status tells whether all did it')
    .addOption(new Option('--wait-for <duration>', 'the same, for so long at most').argParser(readPatience));
  return addOrderOptions(verb, 'command')
    .addHelpText('after', EXAMPLES)
    .action((shell: string | undefined, options: CommandOptions) => order(context, shell, options));
}

const EXAMPLES = `
What is run, and why, is seen by the users of the hosts (penguindome-agent receipts) and stands in the operator log: put no secret in it.
Each host runs it once; one that is off does so when it is back, until the order expires.

Examples:
  penguindome command 'df -h /' --host lap-17 --wait
  penguindome command --script collect-logs.sh --host 'lap-*' --timeout 10m --why 'case 4711'
  penguindome command 'apt-get -y upgrade' --all --yes --not-before 2026-03-02T22:00Z
  penguindome command --script fix.sh --host lap-17 --sign-with ann@example.org --wait-for 5m --json`;

async function order(context: AdminContext, shell: string | undefined, options: CommandOptions): Promise<void> {
  const file = await readProgram(context, shell, options.script);
  await checkOrderFiles([file]);
  const targets = await selectTargets(context, options, 'Run it as root');
  const content = { kind: 'command', timeout: Math.ceil(options.timeout / 1000) } as const;
  const made = await orderBoth(context, { content, targets, files: [file], options, wish: () => commandWish(file) });
  if (options.wait !== true && options.waitFor === undefined) return tellOrdered(context, made);
  if (!context.output.wantsJson)
    context.output.note(`order ${idsOf(made)}; what becomes of it comes here, Ctrl-C does not end it`);
  await waitForOrder(context, made, options.waitFor ?? days(LONGEST_ORDER_DAYS));
}

async function readProgram(
  context: AdminContext,
  shell: string | undefined,
  script: string | undefined,
): Promise<OrderFile> {
  if ((shell === undefined) === (script === undefined) || shell?.trim() === '') {
    throw new OperatorError(
      'cannot tell what is to be run: expected a shell command as one argument, or --script FILE',
      {
        exitCode: EXIT.usage,
      },
    );
  }
  if (shell !== undefined) return orderFile('commands/shell', 0o700, Buffer.from(`#!/bin/sh\n${shell}\n`));
  if (script === '-') return orderFile('commands/script', 0o700, await readAll(context.stdin));
  const local = script ?? '';
  const file = await readOrderFile(local, `commands/${nameOf(local)}`, { program: false });
  return { ...file, mode: 0o700 };
}

/** As hosts show it. Names that they would not take become ones that they do. */
function nameOf(file: string): string {
  const name = basename(file)
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 128);
  return name === '' ? 'script' : name;
}

async function readAll(stdin: NodeJS.ReadableStream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > LARGEST_FILE) {
      throw new OperatorError(`cannot use standard input: it holds more than ${LARGEST_FILE} bytes`, {
        exitCode: EXIT.usage,
      });
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function readTimeout(text: string): Milliseconds {
  const duration = parseDuration(text);
  if (duration === undefined || duration <= 0 || duration > MOST_TIMEOUT) {
    throw new InvalidArgumentError('Expected a number and s, m, h or d, such as 10m, of at most 7d.');
  }
  return duration;
}

function readPatience(text: string): Milliseconds {
  const duration = parseDuration(text);
  if (duration === undefined) throw new InvalidArgumentError('Expected a number and s, m, h or d, such as 5m.');
  return duration;
}
