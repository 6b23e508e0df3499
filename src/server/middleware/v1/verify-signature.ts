import { createHash } from 'node:crypto';
import type { Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import type { Clock } from '../../../core/world.ts';
import { type VerificationKeys, verifyDetached } from '../../../crypto/openpgp.ts';
import type { ServerSettings } from '../../../settings/server-settings.ts';
import { slot } from '../../slot.ts';
import { form } from './read-form.ts';

export interface AcceptedSignature {
  /** what makes two signatures the same: their key, time and data, however they are armored */
  id: string;
  /** until when it would still be accepted */
  validUntil: Date;
}

export const signature = slot<AcceptedSignature>('verified signature');

export function verifySignature({
  settings,
  v1Keys,
  clock,
}: {
  settings: () => ServerSettings;
  v1Keys: () => VerificationKeys;
  clock: Clock;
}): Middleware {
  return async function verifySignature(ctx, next) {
    const { data, signature: armoredSignature } = form.take(ctx);
    const maxAge = settings().v1.signature_age;
    const verdict = await verifyDetached({ armoredSignature, data, keys: v1Keys(), now: clock.now(), maxAge });
    if (!verdict.ok) throw refuse(verdict);
    const { keyFingerprint, createdAt } = verdict;
    signature.put(ctx, {
      id: signatureId(keyFingerprint, createdAt, data),
      validUntil: new Date(createdAt.getTime() + maxAge),
    });
    await next();
  };
}

function refuse({ reason, stale }: { reason: string; stale?: true }): Refusal {
  return stale === true
    ? new Refusal('signature-too-old', 'cannot take a signature that was not made about now: is the clock right?', {
        detail: reason,
      })
    : new Refusal('signature-refused', 'cannot verify the signature', { detail: reason });
}

function signatureId(fingerprint: string, createdAt: Date, data: string): string {
  const digest = createHash('sha256').update(data).digest('hex');
  return createHash('sha256').update(`${fingerprint} ${createdAt.getTime()} ${digest}`).digest('hex');
}
