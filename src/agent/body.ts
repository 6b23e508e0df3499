import { messageOf } from '../core/errors.ts';
import { canonicalJson } from '../wire/v2/digest.ts';

/** Nesting of one result. The server takes 64 levels of a request, which wraps the result in two. */
const DEEPEST = 60;
/** Keys of one result; the server has a limit for the whole request. */
const MOST_KEYS = 20_000;
/** Bytes of one result as canonical JSON. */
const LARGEST = 4 * 1024 * 1024;
/** Bytes of each output that a failed result carries. */
const SHOWN = 16 * 1024;

/** A result that is none, in the shape that the original gave it; `reason` is ours. */
export interface Failure {
  returncode: number;
  stdout: string;
  stderr: string;
  reason: string;
}

/** What was collected under one name: its canonical JSON, and why it failed where it did. */
export interface Result {
  name: string;
  text: string;
  failure?: string;
}

export function failed(name: string, { returncode, stdout, stderr, reason }: Failure): Result {
  const shown = { returncode, stdout: cut(stdout), stderr: cut(stderr), reason };
  return { name, text: canonicalJson(shown), failure: reason };
}

/** Turns what a collector gave into what is reported. @returns why it cannot be reported, in `reason` */
export function bodyOf(value: unknown): { text: string } | { reason: string } {
  try {
    // Through JSON once, so that what has no place there (dates, undefined) is gone before it is looked at.
    const json = JSON.stringify(value);
    return json === undefined ? { reason: 'the result is no JSON value' } : bodyOfJson(json);
  } catch (error) {
    return { reason: `the result is no JSON value: ${messageOf(error)}` };
  }
}

export function bodyOfJson(json: string): { text: string } | { reason: string } {
  if (json.length > LARGEST) return { reason: `the result holds more than ${LARGEST} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { reason: 'the output is not JSON' };
  }
  const problem = tooMuch(value);
  if (problem !== undefined) return { reason: problem };
  try {
    const text = canonicalJson(value);
    return Buffer.byteLength(text) > LARGEST ? { reason: `the result holds more than ${LARGEST} bytes` } : { text };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

/** Level by level, because a recursion would be as deep as what it is to refuse. */
function tooMuch(value: unknown): string | undefined {
  let level = [value];
  let keys = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return `the result is nested more than ${DEEPEST} deep`;
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue;
      const members = Object.values(one);
      if (!Array.isArray(one)) keys += members.length;
      if (keys > MOST_KEYS) return `the result has more than ${MOST_KEYS} keys`;
      for (const member of members) next.push(member);
    }
    level = next;
  }
  return undefined;
}

/** The end is what tells why something failed. */
function cut(text: string): string {
  return text.length > SHOWN ? `…${text.slice(-SHOWN)}` : text;
}
