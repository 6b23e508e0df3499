import type { AgentContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { type PlainCommand, plainCommand } from './plain-command.ts';
import { reportFailure } from './report-failure.ts';
import { type Session, session } from './session.ts';

/**
 * Runs one command line (without node and program). What timers call is understood here; everything else, help and mistakes
 * included, by commands.ts, whose parser takes longer to load than the work of a timer's call. @returns the exit status
 */
export async function runCommandLine(context: AgentContext, args: readonly string[]): Promise<number> {
  const plain = plainCommand(args);
  if (plain === undefined) return (await import('./commands.ts')).runCommandLine(context, args);
  const opened = session(context, plain.options);
  try {
    return await act(opened, plain);
  } catch (error) {
    return reportFailure(opened.output, error);
  }
}

async function act(opened: Session, { name, now }: PlainCommand): Promise<number> {
  switch (name) {
    case 'run':
      return (await import('./command-run.ts')).commandRun(opened, now);
    case 'submit':
      return (await import('./command-submit.ts')).commandSubmit(opened);
    case 'collect':
      return (await import('./command-collect.ts')).commandCollect(opened);
    default:
      name satisfies never;
      return EXIT.usage;
  }
}
