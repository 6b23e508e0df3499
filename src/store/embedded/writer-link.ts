import { realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../../core/duration.ts';
import { messageOf, StoreUnavailable } from '../../core/errors.ts';
import { connectToWriter, type WriterConnection } from './writer-connection.ts';
import type { Write, WriteArguments, WriteName } from './writes.ts';

/** The writer, connected to again and again. */
export interface WriterLink {
  write: Write;
  /** @throws StoreUnavailable where the writer is not there, or does not answer within a few seconds */
  check(): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export interface WriterPlace {
  /** of the store: what a writer at the socket must have open */
  file: string;
  socket: string;
  version: string;
}

const PAUSE: Milliseconds = 100;
const PATIENCE: Milliseconds = seconds(5);

/**
 * @throws StoreUnavailable where there is no writer within a few seconds
 * @throws OperatorError where the one that is there has another file, or is of another version
 */
export async function linkToWriter(place: WriterPlace): Promise<WriterLink> {
  const closing = new AbortController();
  let connection: WriterConnection | undefined = await firstConnection(place);
  let why = '';

  async function stayConnected(): Promise<void> {
    while (connection !== undefined || !closing.signal.aborted) {
      if (connection !== undefined) {
        await connection.closed;
        connection = undefined;
        why = 'the writer is gone';
      } else {
        try {
          connection = await connectAnew(place);
          if (closing.signal.aborted) connection.end();
        } catch (error) {
          why = messageOf(error);
          await pause(closing.signal);
        }
      }
    }
  }
  const staying = stayConnected();

  const write: Write = async <N extends WriteName>(name: N, ...given: WriteArguments[N]) => {
    if (connection === undefined) throw new StoreUnavailable(`cannot write now: ${why}`);
    return connection.ask(name, given);
  };
  return {
    write,
    async check() {
      const asked = connection;
      const impatient = setTimeout(() => asked?.drop('the writer does not answer'), PATIENCE);
      await write('nothing').finally(() => clearTimeout(impatient));
    },
    async close() {
      closing.abort();
      connection?.end();
      const impatient = setTimeout(() => connection?.drop('the writer does not answer'), PATIENCE);
      await staying;
      clearTimeout(impatient);
    },
  };
}

async function firstConnection(place: WriterPlace): Promise<WriterConnection> {
  const tooLong = AbortSignal.timeout(PATIENCE);
  for (;;) {
    try {
      return await connectAnew(place);
    } catch (error) {
      if (tooLong.aborted || !(error instanceof StoreUnavailable)) throw error;
      await pause(tooLong);
    }
  }
}

async function connectAnew({ file, socket, version }: WriterPlace): Promise<WriterConnection> {
  return connectToWriter(socket, { version, file: await realpath(file).catch(notThere) });
}

function notThere(cause: unknown): never {
  throw new StoreUnavailable(`cannot find the store's file: ${messageOf(cause)}`, { cause });
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(PAUSE, undefined, { signal }).catch(() => undefined);
}
