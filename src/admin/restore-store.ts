import { setTimeout as sleep } from 'node:timers/promises';
import type { Milliseconds } from '../core/duration.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import type { Clock, Random } from '../core/world.ts';
import type { BackupEntry } from '../store/backup/format.ts';
import type { IdentityLog } from '../store/identity-log.ts';
import type { Store, StoredDocument } from '../store/port.ts';
import { knownIdentities } from './known-identities.ts';
import { type Merged, mergeIdentities } from './merge-identities.ts';

export interface RestoreDeps {
  store: Store;
  identities: IdentityLog;
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  /** until every server has seen the mark of maintenance: they look each second */
  pause: Milliseconds;
}

/**
 * Replaces the store by a backup that was verified, in a new epoch. Servers answer 503 from the mark on until it is done.
 * Where it fails, the store is as it was, or stays under maintenance until a restore is complete.
 */
export async function restoreStore(
  deps: RestoreDeps,
  entries: AsyncIterable<BackupEntry>,
): Promise<Merged & { unreadable: number }> {
  const { store, identities, clock, random, signal, pause } = deps;
  const at = clock.now();
  // Somebody's restore did not come to its end: only one that does may lift the mark.
  const interrupted = (await store.state()).maintenance_since !== undefined;
  await store.upkeep.setMaintenance(at);
  const merged: Merged = { documents: 0, pending: [], revoked: 0 };
  let begun = false;
  try {
    await sleep(pause, undefined, { signal });
    // After the pause: who enrolled until then is known.
    const known = await knownIdentities(store, identities);
    const documents = mergeIdentities(documentsOf(entries, signal), known, at, merged);
    begun = true;
    await store.upkeep.import(documents, random.uuid());
    await store.upkeep.setMaintenance(undefined);
    return { ...merged, unreadable: known.unreadable };
  } catch (cause) {
    // The embedded store imports in one transaction; MongoDB is as it was only where nothing was begun.
    const unchanged = store.kind === 'embedded' || !begun;
    const why = signal.aborted ? 'it was interrupted' : messageOf(cause);
    throw await explain(store, why, { cause, unchanged: unchanged && !interrupted });
  }
}

async function* documentsOf(entries: AsyncIterable<BackupEntry>, signal: AbortSignal): AsyncGenerator<StoredDocument> {
  for await (const entry of entries) {
    signal.throwIfAborted();
    if (entry.kind === 'document') yield { collection: entry.collection, document: entry.document };
  }
}

async function explain(
  store: Store,
  why: string,
  { cause, unchanged }: { cause: unknown; unchanged: boolean },
): Promise<OperatorError> {
  const opened = unchanged && (await succeeds(store.upkeep.setMaintenance(undefined)));
  return new OperatorError(
    opened
      ? `cannot restore: ${why}; the store is as it was`
      : `cannot finish the restore: ${why}; the store is under maintenance, and servers answer 503, until \`penguindome restore\` has run to its end: run it again`,
    { cause },
  );
}

async function succeeds(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
