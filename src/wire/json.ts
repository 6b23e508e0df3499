import type { Value } from '../core/value.ts';

export interface JsonLimits {
  /** how deep lists and objects may nest */
  depth: number;
  /** how many keys there may be, and how many lists and objects */
  keys: number;
}

export type Parsed = { ok: true; value: Value } | { ok: false; reason: string };

const strictly = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Reads JSON from outside. What would cost more than the limits allow is refused by a look at the bytes, before anything is built.
 * `reason` reads "cannot …" and quotes nothing of what was sent.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): Parsed {
  const excess = findExcess(bytes, limits);
  if (excess !== undefined) return { ok: false, reason: excess };
  try {
    const value: Value = JSON.parse(strictly.decode(bytes));
    return { ok: true, value };
  } catch {
    return { ok: false, reason: 'cannot read the body as JSON in UTF-8' };
  }
}

/** One pass over the bytes; in UTF-8 none of those looked for is ever part of another character. */
function findExcess(bytes: Uint8Array, limits: JsonLimits): string | undefined {
  let depth = 0;
  let keys = 0;
  let nested = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === COLON) {
      if (++keys > limits.keys) return `cannot take JSON of more than ${limits.keys} keys`;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (++depth > limits.depth) return `cannot take JSON nested deeper than ${limits.depth} levels`;
      if (++nested > limits.keys) return `cannot take JSON of more than ${limits.keys} lists and objects`;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth--;
    }
  }
  return undefined;
}
