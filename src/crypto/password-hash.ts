/** A stored hash of a password, read: all that checking one against it needs. */
export type PasswordHash = Argon2idHash | Pbkdf2Hash;

export interface Argon2idHash {
  kind: 'argon2id';
  text: string;
  /** KiB */
  memory: number;
  passes: number;
  lanes: number;
}

/** passlib's `$pbkdf2-sha256$`, as the original PenguinDome stores it. */
export interface Pbkdf2Hash {
  kind: 'pbkdf2-sha256';
  text: string;
  rounds: number;
  salt: Buffer;
  digest: Buffer;
}

/** What one login may cost: whoever writes a hash must not be able to make each attempt take minutes, or gigabytes. */
export const MOST_MEMORY_KIB = 256 * 1024;
const MOST_PASSES = 16;
const MOST_LANES = 4;
/** Two seconds; the original writes 200,000. */
export const MOST_ROUNDS = 2_000_000;
/** SHA-256's, which is what passlib derives. */
const DIGEST_BYTES = 32;

const BASE64 = '[A-Za-z0-9+/]';
/** The string format of the reference implementation, version 1.3 (0x13), RFC 9106. */
const ARGON2ID = new RegExp(
  `^\\$argon2id\\$v=19\\$m=([1-9]\\d{0,8}),t=([1-9]\\d{0,3}),p=([1-9]\\d{0,3})\\$${BASE64}{11,86}\\$${BASE64}{22,86}$`,
);
const PBKDF2 = /^\$pbkdf2-sha256\$([1-9]\d{0,8})\$([A-Za-z0-9./]{1,128})\$([A-Za-z0-9./]{43})$/;

/** @returns undefined for what is no hash of ours or passlib's, or costs too much */
export function readPasswordHash(text: string): PasswordHash | undefined {
  return readArgon2id(text) ?? readPbkdf2(text);
}

function readArgon2id(text: string): Argon2idHash | undefined {
  const [memory, passes, lanes] = (ARGON2ID.exec(text)?.slice(1) ?? []).map(Number);
  if (memory === undefined || passes === undefined || lanes === undefined) return undefined;
  // RFC 9106 section 3.1: at least 8 KiB for each lane
  if (memory < 8 * lanes || memory > MOST_MEMORY_KIB || passes > MOST_PASSES || lanes > MOST_LANES) return undefined;
  return { kind: 'argon2id', text, memory, passes, lanes };
}

function readPbkdf2(text: string): Pbkdf2Hash | undefined {
  const [, rounds = '', salt = '', digest = ''] = PBKDF2.exec(text) ?? [];
  if (rounds === '' || Number(rounds) > MOST_ROUNDS) return undefined;
  const bytes = readAb64(digest);
  if (bytes.length !== DIGEST_BYTES) return undefined;
  return { kind: 'pbkdf2-sha256', text, rounds: Number(rounds), salt: readAb64(salt), digest: bytes };
}

/** passlib's own base64: `.` for `+`, and no padding. */
function readAb64(text: string): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64');
}
