import { createHash } from 'node:crypto';
import type { Milliseconds } from '../core/duration.ts';
import type { Token } from '../core/enrollment.ts';
import { encodeToken } from '../wire/v2/token.ts';
import type { AdminContext } from './context.ts';
import { readServerTrust } from './server-trust.ts';

/** Twice the 128 bits that the protocol asks for. */
const SECRET_BYTES = 32;

export interface TokenWish {
  expires: Milliseconds;
  uses: number;
  pattern?: string;
  approve: boolean;
  note?: string;
}

/** A new token, not stored yet, and its text: a secret. */
export async function composeToken(
  { settings, random, clock }: Pick<AdminContext, 'settings' | 'random' | 'clock'>,
  { expires, uses, pattern, approve, note }: TokenWish,
): Promise<{ token: Token; text: string }> {
  const trust = await readServerTrust(await settings());
  const secret = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url');
  const now = clock.now();
  const token: Token = {
    id: random.uuid(),
    hash: createHash('sha256').update(secret).digest('hex'),
    created_at: now,
    expires_at: new Date(now.getTime() + expires),
    uses,
    used_by: [],
    approve,
    ...(pattern === undefined ? {} : { pattern }),
    ...(note === undefined ? {} : { note }),
  };
  return { token, text: encodeToken({ secret, ...trust }) };
}
