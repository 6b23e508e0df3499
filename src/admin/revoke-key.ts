import type { KeyId } from '../core/host.ts';
import { closeDuplicate } from './close-duplicate.ts';
import type { AdminContext } from './context.ts';
import { identityLogOf } from './identity-log-of.ts';

/**
 * Ends a key for good. Written outside the store first, so that no backup that is restored later brings it back.
 * @returns false where no enrolment and no host has that key, or it was revoked before
 */
export async function revokeKey(context: AdminContext, key: KeyId, why: string): Promise<boolean> {
  const at = context.clock.now();
  const store = await context.store();
  await identityLogOf(await context.settings()).append({ event: 'revoked', key_id: key, at, why });
  // The host first: from here on none of its requests counts.
  const ofHost = await store.hosts.revokeKey(key, at);
  const ofEnrollment = await store.enrollments.revoke(key, at, why);
  const enrollment = await store.enrollments.find(key);
  if (enrollment !== undefined) await closeDuplicate(store, enrollment.hostname, at);
  return ofHost || ofEnrollment;
}
