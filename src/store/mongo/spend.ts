import { isValid } from '../../core/host.ts';
import { withIdentity } from '../host-document.ts';
import type { Speaker, Spent } from '../port.ts';
import type { Collections } from './collections.ts';
import { findEnrollment, readEnrollment } from './enrollments.ts';
import { findHostByKey, readHost } from './hosts.ts';
import { handOverOrders } from './orders-of-host.ts';
import { spokenForBy } from './reports.ts';

/** Uses up a sequence number of a host, or of a key that still waits for approval; else finds out why not. */
export async function spend(collections: Collections, { key_id, sequence }: Speaker, at: Date): Promise<Spent> {
  const spent = await collections.clients.findOneAndUpdate(
    { ...spokenForBy(key_id, at), 'identity.sequence': { $lt: sequence } },
    { $set: { 'identity.sequence': sequence } },
    { returnDocument: 'after' },
  );
  await handOverOrders(collections, spent);
  const host = withIdentity(readHost(spent));
  if (host !== undefined) return { outcome: 'spent', host };
  const known = await findHostByKey(collections, key_id);
  if (known !== undefined) {
    const revoked = known.identity.keys.some((key) => key.id === key_id && !isValid(key, at));
    return revoked ? { outcome: 'revoked' } : { outcome: 'replayed', last: known.identity.sequence };
  }
  return spendPending(collections, { key_id, sequence });
}

async function spendPending(collections: Collections, { key_id, sequence }: Speaker): Promise<Spent> {
  const spent = await collections.enrollments.findOneAndUpdate(
    { key_id, status: 'pending', sequence: { $lt: sequence } },
    { $set: { sequence } },
    { returnDocument: 'after' },
  );
  const enrollment = readEnrollment(spent);
  if (enrollment !== undefined) return { outcome: 'pending', enrollment };
  const known = await findEnrollment(collections, key_id);
  if (known?.status === 'revoked') return { outcome: 'revoked' };
  // approved, and no host: it was forgotten
  return known?.status === 'pending' ? { outcome: 'replayed', last: known.sequence } : { outcome: 'unknown' };
}
