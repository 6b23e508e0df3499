import { createConnection, type Socket } from 'node:net';
import { type Milliseconds, seconds } from '../../core/duration.ts';
import { messageOf, OperatorError, StoreUnavailable } from '../../core/errors.ts';
import { frameReader, toFrame, toTextFrame } from './frames.ts';
import { errorOf, type Hello, isAnswer, isWelcome } from './messages.ts';
import type { WriteName, WriteResults } from './writes.ts';

/** One connection to the writer, welcomed. */
export interface WriterConnection {
  ask<N extends WriteName>(name: N, given: unknown[]): Promise<WriteResults[N]>;
  /** Ends it once what is under way is answered. */
  end(): void;
  /** Ends it now: all that is under way rejects. */
  drop(reason: string): void;
  /** when it is no more, for whatever reason */
  readonly closed: Promise<void>;
}

interface Pending {
  size: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** What is given with these is short, and JSON can hold it. */
const SHORT_ROWS: ReadonlySet<WriteName> = new Set(['checkIn', 'settleGone']);

const PATIENCE: Milliseconds = seconds(5);
/** Bytes asked for and not answered: beyond that nothing more is taken, but for one call that is alone. */
const MOST_HELD = 128 * 1024 * 1024;

/**
 * @throws StoreUnavailable where nobody listens or answers
 * @throws OperatorError where it is not the writer that is meant
 */
export async function connectToWriter(path: string, hello: Hello): Promise<WriterConnection> {
  const socket = createConnection(path);
  const read = frameReader();
  const rest = await welcomed(socket, read, hello);
  return converse(socket, read, rest);
}

/** @returns what came after the welcome already */
function welcomed(socket: Socket, read: (piece: Buffer) => unknown[], hello: Hello): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const end = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    const fail = (reason: string) => end(new StoreUnavailable(`cannot reach the store's writer: ${reason}`));
    const broken = (error: Error) => fail(messageOf(error));
    const ended = () => fail('it closed the connection');
    const took = (piece: Buffer) => {
      const [first, ...rest] = carefully(read, piece);
      if (first === undefined) return;
      socket.off('error', broken).off('close', ended).off('data', took).setTimeout(0);
      if (!isWelcome(first)) fail('it does not speak as one');
      else if (first.welcome) resolve(rest);
      else end(new OperatorError(first.reason));
    };
    socket.on('error', broken).on('close', ended).on('data', took);
    socket.setTimeout(PATIENCE, () => fail('it does not answer'));
    socket.write(toFrame(hello));
  });
}

/** What cannot be read is no welcome. */
function carefully(read: (piece: Buffer) => unknown[], piece: Buffer): unknown[] {
  try {
    return read(piece);
  } catch {
    return [null];
  }
}

function converse(socket: Socket, read: (piece: Buffer) => unknown[], first: unknown[]): WriterConnection {
  const pending = new Map<number, Pending>();
  let frames: Buffer[] = [];
  let held = 0;
  let last = 0;
  let ending = false;
  let why = 'the writer is gone';

  const send = () => {
    const bytes = frames.length === 1 ? frames[0] : Buffer.concat(frames);
    frames = [];
    if (bytes !== undefined && socket.writable) socket.write(bytes);
  };
  const settle = (message: unknown) => {
    if (!isAnswer(message)) throw new TypeError('cannot take an answer of that form');
    const [id, outcome, said] = message;
    const asked = pending.get(id);
    if (asked === undefined) throw new TypeError('cannot take an answer to nothing');
    pending.delete(id);
    held -= asked.size;
    if (outcome === 'done') asked.resolve(said);
    else asked.reject(errorOf(outcome, String(said)));
    if (ending && pending.size === 0) socket.end();
  };
  const take = (messages: unknown[]) => {
    try {
      for (const message of messages) settle(message);
    } catch (error) {
      drop(messageOf(error));
    }
  };
  const drop = (reason: string) => {
    why = reason;
    socket.destroy();
  };
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      const lost = new StoreUnavailable(`cannot tell whether it was written: ${why}`);
      for (const { reject } of pending.values()) reject(lost);
      pending.clear();
      resolve();
    });
  });
  socket.on('error', (error) => drop(messageOf(error)));
  socket.on('data', (piece) => {
    try {
      take(read(piece));
    } catch (error) {
      drop(messageOf(error));
    }
  });
  take(first);

  return {
    closed,
    drop,
    end() {
      ending = true;
      if (pending.size === 0) socket.end();
    },
    ask<N extends WriteName>(name: N, given: unknown[]) {
      return new Promise<WriteResults[N]>((resolve, reject) => {
        if (!socket.writable || ending) throw new StoreUnavailable(`cannot write now: ${why}`);
        const id = ++last;
        const frame = SHORT_ROWS.has(name) ? toTextFrame({ id, name, given }) : toFrame({ id, name, given });
        if (held + frame.length > MOST_HELD && pending.size > 0) {
          throw new StoreUnavailable('cannot write now: too much waits for the writer');
        }
        held += frame.length;
        pending.set(id, { size: frame.length, resolve, reject });
        if (frames.length === 0) setImmediate(send);
        frames.push(frame);
      });
    },
  };
}
