import crypto from 'node:crypto';
import type { Digest } from '../../core/host.ts';

/** `Content-Digest` of the bytes as sent, after content coding (RFC 9530 section 2); of a text, of its UTF-8. */
export function contentDigest(body: Uint8Array | string): string {
  return `sha-256=:${sha256(body, 'base64')}:`;
}

/**
 * The canonical JSON (RFC 8785) of a body: what its digest is over, and what the spool holds.
 * ECMAScript's own way to write strings and numbers is the one that RFC 8785 section 3.2.2 prescribes; only keys need sorting.
 * @throws TypeError for what is not a JSON value
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(Reflect.get(value, key))}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`cannot write ${value} as JSON`);
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`cannot write a ${typeof value} as JSON`);
  return text;
}

export function digestOfText(text: string): Digest {
  return sha256(text, 'hex') as Digest;
}

export function bodyDigest(value: unknown): Digest {
  return digestOfText(canonicalJson(value));
}

/** Digest of a report: over the canonical JSON of `[[name, digest], …]`, sorted by name (UTF-16 code units, as RFC 8785 sorts keys). */
export function listDigest(list: Record<string, Digest>): Digest {
  return bodyDigest(Object.entries(list).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** One call is several times as fast for what is as short as this; Node 18, on which the agent runs too, does not have it. */
const hashAtOnce: typeof crypto.hash | undefined = crypto.hash;

function sha256(data: Uint8Array | string, encoding: 'hex' | 'base64'): string {
  return hashAtOnce === undefined
    ? crypto.createHash('sha256').update(data).digest(encoding)
    : hashAtOnce('sha256', data, encoding);
}
