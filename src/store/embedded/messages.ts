import { messageOf, OperatorError, StoreUnavailable } from '../../core/errors.ts';
import type { WriteArguments, WriteName, Writes } from './writes.ts';

/** The first frame of a connection: who does not mean the same file, or is of another version, is sent away. */
export interface Hello {
  version: string;
  /** its real path */
  file: string;
}

export type Welcome = { welcome: true } | { welcome: false; reason: string };

/** One write asked for. The number is the asker's, and comes back with the answer. */
export type Call<N extends WriteName = WriteName> = {
  [Name in N]: { id: number; name: Name; given: WriteArguments[Name] };
}[N];

export type Answer = [id: number, outcome: 'done', result: unknown] | [id: number, outcome: ErrorKind, reason: string];

/** Kinds that a caller tells apart; anything else is a fault of ours. */
type ErrorKind = 'unavailable' | 'operator' | 'fault';

export function isHello(value: unknown): value is Hello {
  return has(value, 'version', 'string') && has(value, 'file', 'string');
}

export function isWelcome(value: unknown): value is Welcome {
  return has(value, 'welcome', 'boolean');
}

/** What is given with a call is as its sender's compiler saw it: the hello has made sure that this is ours. */
export function isCall(value: unknown, writes: Writes): value is Call {
  if (!has(value, 'id', 'number') || !has(value, 'name', 'string')) return false;
  return Object.hasOwn(writes, value.name) && has(value, 'given', 'object') && Array.isArray(value.given);
}

export function isAnswer(value: unknown): value is Answer {
  return Array.isArray(value) && value.length === 3 && Number.isSafeInteger(value[0]) && typeof value[1] === 'string';
}

export function errorAnswer(id: number, error: unknown): Answer {
  const kind =
    error instanceof StoreUnavailable ? 'unavailable' : error instanceof OperatorError ? 'operator' : 'fault';
  return [id, kind, messageOf(error)];
}

export function errorOf(kind: ErrorKind, reason: string): Error {
  switch (kind) {
    case 'unavailable':
      return new StoreUnavailable(reason);
    case 'operator':
      return new OperatorError(reason);
    case 'fault':
      return new Error(reason);
    default:
      return kind satisfies never;
  }
}

interface Types {
  boolean: boolean;
  number: number;
  object: unknown;
  string: string;
}

function has<K extends string, T extends keyof Types>(
  value: unknown,
  key: K,
  type: T,
): value is { [key in K]: Types[T] } {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, key) === type;
}
