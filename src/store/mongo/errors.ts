import {
  MongoClientClosedError,
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
  MongoSystemError,
  MongoTopologyClosedError,
} from 'mongodb';
import { messageOf, OperatorError, StoreUnavailable } from '../../core/errors.ts';
import { beforeDeadline } from './deadline.ts';
import type { Primary } from './primary.ts';

/** Codes with which a server says that it cannot now: gone, stepping down, not primary, out of disk, not confirmed in time. */
const UNAVAILABLE: ReadonlySet<unknown> = new Set([
  6, 7, 24, 50, 64, 89, 91, 100, 112, 133, 134, 189, 202, 262, 317, 365, 9001, 10058, 10107, 11600, 11602, 13388, 13435,
  13436, 14031,
]);
const DUPLICATE_KEY = 11000;
const TOO_LARGE: ReadonlySet<unknown> = new Set([10334, 17419]);
/** It does not parse, nests too deep, is too long. */
const UNREADABLE: ReadonlySet<unknown> = new Set([9, 14, 15, 22, 10334]);
const NOT_PERMITTED: ReadonlySet<unknown> = new Set([13, 18]);

/** Runs what talks to the server; the driver's errors stop here, and its silence. */
export interface Reach {
  <T>(work: () => Promise<T>): Promise<T>;
  /** the same for what may take long: it changes or reads all that there is */
  withoutDeadline<T>(work: () => Promise<T>): Promise<T>;
  each<T>(work: () => AsyncIterable<T>): AsyncGenerator<T>;
}

/** @param primary what was done while it changed fails as if the server had been gone */
export function reachBy(primary: Primary): Reach {
  const withoutDeadline = <T>(work: () => Promise<T>) =>
    translated(async () => {
      const term = await primary.confirmed();
      const done = await work();
      primary.assertStill(term);
      return done;
    });
  const each = async function* <T>(work: () => AsyncIterable<T>) {
    try {
      const term = await primary.confirmed();
      for await (const item of work()) {
        // before anybody acts on it
        primary.assertStill(term);
        yield item;
      }
      primary.assertStill(term);
    } catch (error) {
      throw translate(error);
    }
  };
  const reach = <T>(work: () => Promise<T>) => withoutDeadline(() => beforeDeadline(work));
  return Object.assign(reach, { withoutDeadline, each });
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error);
  }
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** The document would pass the 16 MB that MongoDB allows. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof MongoServerError && TOO_LARGE.has(error.code);
}

/** Neither driver nor server could make out the command: none of it was done. */
export function isUnreadable(error: unknown): boolean {
  if (error instanceof MongoServerError) return UNREADABLE.has(error.code);
  return !(error instanceof MongoError) && !isUnavailable(error);
}

export function isNotPermitted(error: unknown): boolean {
  return error instanceof MongoServerError && NOT_PERMITTED.has(error.code);
}

function translate(error: unknown): unknown {
  if (isUnavailable(error)) {
    return new StoreUnavailable(`cannot use the database now: ${messageOf(error)}`, { cause: error });
  }
  if (isNotPermitted(error)) {
    return new OperatorError(
      `cannot use the database: ${messageOf(error)}; check user, password file and roles (readWrite on the database) in the settings`,
      { cause: error },
    );
  }
  return error;
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof MongoError)) return isBrokenSocket(error);
  if (error instanceof MongoServerError) {
    // insertMany wraps whatever befalls it, a broken connection too, in an error that says it is the server's
    const { errorResponse: wrapped } = error;
    if (wrapped instanceof Error) return isUnavailable(wrapped);
    return UNAVAILABLE.has(error.code) || error.hasErrorLabel('RetryableWriteError');
  }
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoSystemError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoClientClosedError ||
    // not exported: no connection came free in time
    error.name === 'MongoWaitQueueTimeoutError'
  );
}

/** A connection that breaks while the driver writes to it: the socket's own error comes through as it is. */
const BROKEN_SOCKET: ReadonlySet<unknown> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
]);

function isBrokenSocket(error: unknown): boolean {
  return error instanceof Error && BROKEN_SOCKET.has(Reflect.get(error, 'code'));
}
