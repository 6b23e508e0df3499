import type { Token } from '../core/enrollment.ts';
import { showTime } from './show-time.ts';

/** @param where behind its id, such as ` in FILE` */
export function describeToken({ id, uses, pattern, expires_at, approve }: Token, where = ''): string {
  const machines = `${uses} machine${uses === 1 ? '' : 's'}${pattern === undefined ? '' : ` named ${pattern}`}`;
  const how = approve ? 'approved at once' : 'each waits for approval';
  return `token ${id}${where}: ${machines}, until ${showTime(expires_at)}, ${how}`;
}

/** For `--json`: all but its secret. */
export function tokenShown({ id, expires_at, uses, pattern, approve }: Token) {
  return { id, expires_at, uses, ...(pattern === undefined ? {} : { pattern }), approve };
}
