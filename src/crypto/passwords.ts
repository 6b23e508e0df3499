import { createHash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { PasswordHash, Pbkdf2Hash } from './password-hash.ts';

/**
 * The work that passwords take. All of it is done on libuv's threads, never on the event loop; how much of it is done at once is
 * for the caller to say.
 */
export interface Passwords {
  /** A new hash: Argon2id. */
  hash(password: string): Promise<string>;
  /** Whether the password is the one of this Argon2id hash. */
  verifyArgon2id(hash: string, password: string): Promise<boolean>;
  /** 32 bytes by PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2). */
  derivePbkdf2(password: string, salt: Uint8Array, rounds: number): Promise<Buffer>;
}

/** OWASP's second choice: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const SALT_BYTES = 16;
const DIGEST_BYTES = 32;

const derive = promisify(pbkdf2);

/** argon2 is a native module: who needs no password does not load it. */
const load = () => import('argon2');

export const passwords: Passwords = {
  async hash(password) {
    const { hash, argon2id } = await load();
    return hash(normalize(password), { type: argon2id, ...COST });
  },
  async verifyArgon2id(hash, password) {
    const { verify } = await load();
    return verify(hash, normalize(password));
  },
  derivePbkdf2: (password, salt, rounds) => derive(password, salt, rounds, DIGEST_BYTES, 'sha256'),
};

/**
 * One spelling of each letter, whatever keyboard wrote it (RFC 8265 section 4.2.2, OpaqueString). Not so for PBKDF2: the original
 * hashed what it was sent.
 */
function normalize(password: string): string {
  return password.normalize('NFC');
}

/** A hash of the usual cost that no password fits: what is checked where there is nobody of that name. */
export function makeDecoy(): string {
  const { memoryCost, timeCost, parallelism } = COST;
  const text = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${text(SALT_BYTES)}$${text(DIGEST_BYTES)}`;
}

/**
 * Checks a password in a time that does not tell whether there was a hash, nor of which kind it is: each attempt costs one Argon2id
 * and, while any account still has a hash of the original's, PBKDF2 of as many rounds as the dearest of them.
 * @param rounds those rounds; 0 where there is no such hash
 */
export async function checkPassword(
  { verifyArgon2id, derivePbkdf2 }: Omit<Passwords, 'hash'>,
  { hash, decoy, rounds }: { hash: PasswordHash | undefined; decoy: string; rounds: number },
  password: string,
): Promise<boolean> {
  const known = hash?.kind === 'argon2id' ? hash.text : undefined;
  const fitsArgon2id = await verifyArgon2id(known ?? decoy, password);
  const old = hash?.kind === 'pbkdf2-sha256' ? hash : undefined;
  const fitsPbkdf2 = old !== undefined && (await fits(derivePbkdf2, old, password));
  const rest = rounds - (old?.rounds ?? 0);
  if (rest > 0) await derivePbkdf2(password, old?.salt ?? Buffer.alloc(SALT_BYTES), rest);
  return known === undefined ? fitsPbkdf2 : fitsArgon2id;
}

async function fits(
  derivePbkdf2: Passwords['derivePbkdf2'],
  { salt, rounds, digest }: Pbkdf2Hash,
  password: string,
): Promise<boolean> {
  const derived = await derivePbkdf2(password, salt, rounds);
  return derived.length === digest.length && timingSafeEqual(derived, digest);
}

/** By which a replacement names the hash that it is for. */
export function digestOfHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
