import { messageOf, OperatorError } from '../core/errors.ts';
import type { Channel } from '../server/processes/channel.ts';
import type { Begin } from '../server/processes/messages.ts';

/** Does a process's work until it is done; the primary hears why where it cannot be done, and ends the process. */
export async function runChild(channel: Channel, work: (begin: Begin) => Promise<void>): Promise<void> {
  try {
    const begin = await channel.begin();
    if (begin !== undefined) await work(begin);
    channel.close();
  } catch (error) {
    if (channel.stopped.aborted) channel.close();
    else channel.tell({ kind: 'failed', ...describe(error) });
  }
}

function describe(error: unknown): { message: string; exitCode: number } {
  if (error instanceof OperatorError) return { message: error.message, exitCode: error.exitCode };
  // What nobody foresaw is worth its trace.
  return { message: error instanceof Error ? (error.stack ?? error.message) : messageOf(error), exitCode: 1 };
}
