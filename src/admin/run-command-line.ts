import { type Command, CommanderError } from 'commander';
import { messageOf, OperatorError, StoreUnavailable } from '../core/errors.ts';
import { commands, DEFAULT_SETTINGS } from './commands.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { harmless } from './harmless.ts';
import { type CommandLog, type LogWorld, logCommands } from './log-commands.ts';
import { nameOperator } from './name-operator.ts';
import { spellOut } from './spell-out.ts';

/** What goes before or after any command. */
export interface GlobalOptions {
  config: string;
  json: boolean;
}

export interface CommandLine {
  /** without the program's own name */
  argv: readonly string[];
  version: string;
  /** the options are known only when the command line has been read */
  openContext(options: () => GlobalOptions): {
    context: Omit<AdminContext, 'concerns' | 'operator'>;
    close(): Promise<void>;
  };
  /** for the operator log: who, and where the journal is */
  log: Pick<LogWorld, 'operator' | 'pid' | 'tell'>;
  writeOut(text: string): void;
  writeError(text: string): void;
  signal: AbortSignal;
  /** whether a fault of the program shows where it happened */
  debug: boolean;
}

/** Runs one command of `penguindome`. @returns the exit status (docs/exit-codes.md); never rejects */
export async function runCommandLine(line: CommandLine): Promise<number> {
  const opened = line.openContext(() => {
    const { config = DEFAULT_SETTINGS, json = false } = program.opts<Partial<GlobalOptions>>();
    return { config, json };
  });
  const context: AdminContext = {
    ...opened.context,
    concerns: (hostnames) => log.concerns(hostnames),
    operator: async () => nameOperator(await line.log.operator()),
  };
  const program: Command = commands(context, line);
  const log: CommandLog = logCommands(program, context, { ...line.log, version: line.version });
  try {
    const { status, said } = await program.parseAsync(spellOut(line.argv), { from: 'user' }).then(
      () => ({ status: EXIT.ok, said: undefined }),
      (error: unknown) => say(error, line),
    );
    await log.ended(status, said);
    return status;
  } finally {
    await opened.close().catch((error: unknown) => line.writeError(`penguindome: ${messageOf(error)}\n`));
  }
}

/** @returns the exit status, and what was said on standard error */
function say(error: unknown, line: CommandLine): { status: number; said: string | undefined } {
  if (error instanceof CommanderError) return { status: error.exitCode === 0 ? EXIT.ok : EXIT.usage, said: undefined };
  // whoever interrupts us knows it; what that did, an OperatorError tells
  if (line.signal.aborted && !(error instanceof OperatorError))
    return { status: EXIT.interrupted, said: 'interrupted' };
  const { status, text } = explain(error);
  line.writeError(`penguindome: ${text.split('\n').map(harmless).join('\n')}\n`);
  if (line.debug && error instanceof Error) line.writeError(`${error.stack}\n`);
  return { status: line.signal.aborted ? EXIT.interrupted : status, said: text };
}

function explain(error: unknown): { status: number; text: string } {
  if (error instanceof OperatorError) return { status: error.exitCode, text: error.message };
  if (error instanceof StoreUnavailable) return { status: EXIT.tryAgain, text: error.message };
  // what the system refused, such as a file: not a fault of ours
  if (error instanceof Error && 'syscall' in error)
    return { status: EXIT.failed, text: `cannot go on: ${error.message}` };
  return {
    status: EXIT.internal,
    text: `cannot go on: ${messageOf(error)} (a fault of penguindome itself; PENGUINDOME_DEBUG=1 shows where)`,
  };
}
