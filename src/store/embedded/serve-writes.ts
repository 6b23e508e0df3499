import { chmod, realpath, rename } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { type Milliseconds, seconds } from '../../core/duration.ts';
import { messageOf, OperatorError, StoreUnavailable } from '../../core/errors.ts';
import type { Log } from '../../core/events.ts';
import type { Clock, Random } from '../../core/world.ts';
import type { Engine } from './engine.ts';
import { frameReader, toFrame, toTextFrame } from './frames.ts';
import { type Group, groupCommits } from './group-commit.ts';
import { type Answer, type Call, errorAnswer, type Hello, isCall, isHello, type Welcome } from './messages.ts';
import { openToWrite } from './open-embedded.ts';
import { type WriteName, type Writes, writesOn } from './writes.ts';

export interface Writer {
  /** Finishes what has arrived, answers it, and lets go of the file. */
  close(): Promise<void>;
}

export interface WriterOptions {
  file: string;
  /** in a folder that is nobody else's (0700); one that is left of a writer before is replaced */
  socket: string;
  /** of the product: who asks for writes must be of the same */
  version: string;
  clock: Clock;
  random: Random;
  log: Log;
  /** closes it */
  signal?: AbortSignal;
}

/**
 * The one process of a server that writes to the embedded store: workers ask it to, over a socket (open-shared.ts).
 * What has arrived in one turn of its event loop, on whatever connection, is one commit.
 * @throws StoreUnavailable where the file or the socket cannot be opened now
 * @throws OperatorError where trying again would not help
 */
export async function serveWrites({ file, socket, version, random, log, signal }: WriterOptions): Promise<Writer> {
  const engine = await openToWrite(file, random);
  const group = groupCommits(engine);
  const desk: Desk = { hello: { version, file: await realpath(file) }, writes: writesOn(engine), group, log };
  const open = new Set<Socket>();
  const server = createServer((connection) => {
    open.add(connection);
    connection.on('close', () => open.delete(connection));
    attend(connection, desk);
  });
  try {
    await listen(server, socket, `${socket}.${random.uuid().slice(-12)}`);
  } catch (error) {
    engine.close();
    throw error;
  }

  // Too many open files, say: who wants to connect comes again.
  server.on('error', (error) => log.event('writer.connection-refused', { reason: messageOf(error) }));

  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      group.flush();
      // so that the answers are on their way
      await new Promise((resolve) => setImmediate(resolve));
      for (const connection of open) connection.end(() => connection.destroy());
      const slow = setTimeout(() => open.forEach((connection) => void connection.destroy()), GRACE);
      await closed;
      clearTimeout(slow);
      emptyLog(engine);
      engine.close();
    })();
    return closing;
  };
  if (signal?.aborted) await close();
  else signal?.addEventListener('abort', () => void close(), { once: true });
  return { close };
}

/** Into the store's file goes what SQLite's log holds, and the log's own 4 MB are given back. Where somebody still reads, it waits for the next time. */
function emptyLog(engine: Engine): void {
  try {
    engine.all('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // All is safe in the log.
  }
}

/** For clients that do not read their answers. */
const GRACE: Milliseconds = seconds(2);

interface Desk {
  hello: Hello;
  writes: Writes;
  group: Group;
  log: Log;
}

/** What waits for a client that does not read its answers: then nothing more is taken from it. */
const UNREAD = 4 * 1024 * 1024;

/** A connection that breaks, or sends what is no frame, ends alone. */
function attend(connection: Socket, desk: Desk): void {
  const read = frameReader();
  let welcomed = false;
  const answer = answering(connection);
  connection.on('error', () => connection.destroy());
  connection.on('data', (piece) => {
    try {
      for (const message of read(piece)) {
        if (!welcomed) welcomed = welcome(connection, desk, message);
        else take(message, desk, answer);
      }
    } catch (error) {
      desk.log.event('writer.connection-refused', { reason: messageOf(error) });
      connection.destroy();
    }
  });
}

function welcome(connection: Socket, { hello }: Desk, message: unknown): true {
  if (!isHello(message)) throw new TypeError('cannot take a first frame that is no hello');
  const reason =
    message.version !== hello.version
      ? `cannot write for version ${message.version}: this writer is of ${hello.version}`
      : message.file !== hello.file
        ? `cannot write to ${message.file}: this writer has ${hello.file}`
        : undefined;
  const said: Welcome = reason === undefined ? { welcome: true } : { welcome: false, reason };
  connection.write(toFrame(said));
  if (reason !== undefined) throw new TypeError(reason);
  return true;
}

function take(message: unknown, { writes, group }: Desk, answer: (message: Answer) => void): void {
  if (!isCall(message, writes)) throw new TypeError('cannot take a frame that asks for no write');
  const { id } = message;
  let result: unknown;
  group.add({
    run() {
      result = perform(writes, message);
    },
    done: () => answer([id, 'done', result]),
    fail: (error) => answer(errorAnswer(id, error)),
  });
}

function perform<N extends WriteName>(writes: Writes, { name, given }: Call<N>): unknown {
  return writes[name](...given);
}

/** The answers of one commit go out in one piece. */
function answering(connection: Socket): (message: Answer) => void {
  let frames: Buffer[] = [];
  const send = () => {
    const bytes = Buffer.concat(frames);
    frames = [];
    if (!connection.writable) return;
    connection.write(bytes);
    if (connection.writableLength < UNREAD || connection.isPaused()) return;
    connection.pause();
    connection.once('drain', () => connection.resume());
  };
  return (message) => {
    if (frames.length === 0) queueMicrotask(send);
    frames.push(typeof message[2] === 'boolean' ? toTextFrame(message) : toFrame(message));
  };
}

/** A path that is longer than the kernel's limit would be cut off, without a word. */
const LONGEST_PATH = 107;

/** At another name first: under its own it is there only once it is nobody else's. */
async function listen(server: Server, socket: string, made: string): Promise<void> {
  if (Buffer.byteLength(made) > LONGEST_PATH) {
    throw new OperatorError(`cannot listen on ${made}: the path of a socket has ${LONGEST_PATH} bytes at most`);
  }
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(made, () => {
        server.off('error', reject);
        resolve();
      });
    });
    await chmod(made, 0o600);
    await rename(made, socket);
  } catch (cause) {
    server.close();
    throw new StoreUnavailable(`cannot listen on ${socket}: ${messageOf(cause)}`, { cause });
  }
}
