import { createHash, timingSafeEqual } from 'node:crypto';
import type { Token } from '../../core/enrollment.ts';
import { Refusal } from '../../core/errors.ts';
import type { KeyId } from '../../core/host.ts';
import { fitsPattern } from '../../core/name-pattern.ts';
import type { Clock } from '../../core/world.ts';
import type { Store } from '../../store/port.ts';

/**
 * Lets a new key in by a token, and counts the use (once for each key).
 * @throws Refusal, in the same words whatever is wrong: whoever guesses learns nothing
 */
export async function admitToken(
  { store, clock }: { store: Pick<Store, 'tokens'>; clock: Clock },
  { secret, key, hostname }: { secret: string; key: KeyId; hostname: string },
): Promise<Token> {
  const hash = tokenHash(secret);
  const token = await findToken(store, secret);
  if (token === undefined) throw tokenRefused('unknown');
  // Before it is counted: a host of another name must not use the quota up.
  if (token.pattern !== undefined && !fitsPattern(hostname, token.pattern)) throw tokenRefused('for other names');
  const use = await store.tokens.use(hash, key, clock.now());
  if (use.outcome !== 'used' && use.outcome !== 'used-before') throw tokenRefused(use.outcome);
  return use.token;
}

/** The store finds it by its hash; that it is the one is for a comparison to say which takes as long whatever it compares. */
export async function findToken({ tokens }: Pick<Store, 'tokens'>, secret: string): Promise<Token | undefined> {
  const hash = Buffer.from(tokenHash(secret), 'hex');
  const token = await tokens.find(hash.toString('hex'));
  const known = Buffer.from(token?.hash ?? '', 'hex');
  return known.length === hash.length && timingSafeEqual(known, hash) ? token : undefined;
}

export function tokenHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function tokenRefused(detail: string): Refusal {
  return new Refusal('token-refused', 'cannot enrol with this token', { detail: `the token is ${detail}` });
}
