import { createHash } from 'node:crypto';
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
  const token = await store.tokens.find(hash);
  if (token === undefined) throw tokenRefused('unknown');
  // Before it is counted: a host of another name must not use the quota up.
  if (token.pattern !== undefined && !fitsPattern(hostname, token.pattern)) throw tokenRefused('for other names');
  const use = await store.tokens.use(hash, key, clock.now());
  if (use.outcome !== 'used' && use.outcome !== 'used-before') throw tokenRefused(use.outcome);
  return use.token;
}

export function tokenHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function tokenRefused(detail: string): Refusal {
  return new Refusal('token-refused', 'cannot enrol with this token', { detail: `the token is ${detail}` });
}
