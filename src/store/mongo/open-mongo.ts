import type { MongoClient } from 'mongodb';
import { seconds } from '../../core/duration.ts';
import type { Clock, Random } from '../../core/world.ts';
import type { IssueStore, OutboxStore, Store, StoredDocument, StoreState, UpkeepStore } from '../port.ts';
import { selectParameters } from '../records.ts';
import { type Collections, collectionsOf } from './collections.ts';
import { type Connection, connect, type MongoSettings } from './connect.ts';
import { approve, findEnrollment, insertEnrollment, listEnrollments, revokeEnrollment } from './enrollments.ts';
import { type Reach, reachBy } from './errors.ts';
import { exportDocuments } from './export.ts';
import { hostStore } from './host-store.ts';
import { importDocuments } from './import.ts';
import { closeIssue, issueHistory, listOpenIssues, markAlerted, openIssue, reconcile, shareOpening } from './issues.ts';
import { closeByHand, heldIssues, openByHand, release, snooze, unsnooze } from './issues-by-hand.ts';
import { moveTrails } from './move-trail.ts';
import { orderStore } from './order-store.ts';
import {
  addToOutbox,
  claimInOutbox,
  dueInOutbox,
  expireOutbox,
  listOutbox,
  reviveInOutbox,
  settleInOutbox,
} from './outbox.ts';
import { listParameters, setParameter } from './parameters.ts';
import {
  acknowledgePatch,
  cancelPatch,
  findPatch,
  insertPatch,
  listPatches,
  pendingHosts,
  pendingPatches,
} from './patches.ts';
import { ALWAYS } from './primary.ts';
import { migrate } from './schema.ts';
import { type SharedReads, shareReads } from './shared-reads.ts';
import { shareWrites } from './shared-writes.ts';
import { expireSignatures, knowsSignature, rememberSignatures } from './signatures.ts';
import { findToken, insertToken, listTokens, revokeToken, useToken } from './tokens.ts';
import { trailHistory, trailSince } from './trail-history.ts';

/** The store in a MongoDB server: a replica set or a standalone, an original PenguinDome's database or a new one. */
export async function openMongo(
  settings: MongoSettings,
  { password, clock, random }: { password?: string; clock: Clock; random: Random },
): Promise<Store> {
  const { client, primary, replicaSet, collections } = await reachBy(ALWAYS)(() => connect(settings, password));
  const reach = reachBy(primary);
  try {
    await reach.withoutDeadline(() => migrate(collections, random.uuid()));
  } catch (error) {
    await client.close();
    throw error;
  }
  const reads = shareReads(collections);
  const mover = moveTrails(collections);
  const remember = rememberSignatures(collections);
  return {
    kind: 'mongo',
    hosts: hostStore(collections, { reach, reads, write: shareWrites(collections), mover }),
    issues: issueStore(collections, reach, reads),
    orders: orderStore(collections, clock, reach),
    outbox: outboxStore(collections, reach),
    upkeep: upkeepStore({ client, replicaSet, collections }, reach),
    enrollments: {
      insert: (enrollment) => reach(() => insertEnrollment(collections, enrollment)),
      find: (key) => reach(() => findEnrollment(collections, key)),
      list: () => reach(() => listEnrollments(collections)),
      everApproved: (hostname) => reach(() => reads.everApproved(hostname)),
      approve: (key, at) => reach(() => approve(collections, key, at)),
      revoke: (key, at, why) => reach(() => revokeEnrollment(collections, key, at, why)),
    },
    tokens: {
      insert: (token) => reach(() => insertToken(collections, token)),
      list: () => reach(() => listTokens(collections)),
      find: (hash) => reach(() => findToken(collections, hash)),
      use: (hash, key, at) => reach(() => useToken(collections, hash, key, at)),
      revoke: (id, at) => reach(() => revokeToken(collections, id, at)),
    },
    trail: {
      history: (hostname, options) => reach(() => trailHistory(collections, hostname, options)),
      since: (hostname) => reach(() => trailSince(collections, hostname)),
    },
    patches: {
      pendingFor: (hostname) => reach(() => pendingPatches(collections, hostname)),
      acknowledge: (id, hostname) => reach(() => acknowledgePatch(collections, id, hostname)),
      insert: (patch) => reach(() => insertPatch(collections, patch)),
      find: (id) => reach(() => findPatch(collections, id)),
      list: (filter) => reach.each(() => listPatches(collections, filter ?? {})),
      cancel: (id) => reach(() => cancelPatch(collections, id)),
      pendingHosts: () => reach(() => pendingHosts(collections)),
    },
    parameters: {
      list: (filter) => reach(async () => selectParameters(await listParameters(collections), filter)),
      set: (hostname, parameter, value, at) =>
        reach(() => setParameter(collections, { hostname, parameter, value }, at)),
    },
    signatures: {
      remember: (id, expires_at) => reach(() => remember({ id, expires_at, now: clock.now() })),
      knows: (id) => reach(() => knowsSignature(collections, id, clock.now())),
    },
    state: () => reach(() => readState(collections)),
    close: async () => {
      await mover.idle();
      await client.close();
    },
  };
}

function issueStore(collections: Collections, reach: Reach, { openIssues }: SharedReads): IssueStore {
  const open = shareOpening(collections);
  return {
    open: (hostname, name, at, shown_at = at) =>
      reach(() => openIssue(collections, open, { hostname, name, opened_at: at }, shown_at)),
    close: (hostname, name, at) => reach(() => closeIssue(collections, hostname, name, at)),
    listOpen: (filter) => reach.each(() => listOpenIssues(collections, filter ?? {})),
    history: (filter) => reach(() => issueHistory(collections, filter)),
    markAlerted: (issues, at) => reach(() => markAlerted(collections, issues, at)),
    reconcile: (hostname, failing, passing, at, shown_at = at) =>
      reach(() => reconcile(collections, { openIssues, open }, { hostname, failing, passing, at, shown_at })),
    openByHand: (hostname, name, at) => reach(() => openByHand(collections, open, { hostname, name, opened_at: at })),
    snooze: (filter, until, at) => reach(() => snooze(collections, filter, until, at)),
    unsnooze: (filter, at) => reach(() => unsnooze(collections, filter, at)),
    closeByHand: (filter, at) => reach(() => closeByHand(collections, filter, at)),
    listHeld: () => reach(() => heldIssues(collections)),
    release: (held) => reach(() => release(collections, held)),
  };
}

function outboxStore(collections: Collections, reach: Reach): OutboxStore {
  return {
    add: (entries) => reach.withoutDeadline(() => addToOutbox(collections, entries)),
    list: (filter) => reach.each(() => listOutbox(collections, filter)),
    due: (at) => reach(() => dueInOutbox(collections, at)),
    claim: (messages, claim) => reach(() => claimInOutbox(collections, messages, claim)),
    settle: (by, keys, settlement) => reach(() => settleInOutbox(collections, by, keys, settlement)),
    revive: (messages, at) => reach(() => reviveInOutbox(collections, messages, at)),
    expire: (before) => reach(() => expireOutbox(collections, before)),
  };
}

function upkeepStore({ client, replicaSet, collections }: Omit<Connection, 'primary'>, reach: Reach): UpkeepStore {
  return {
    consistent: replicaSet,
    export: () => reach.each(() => exportSnapshot(client, replicaSet, collections)),
    setMaintenance: (since) => reach(() => setMaintenance(collections, since)),
    import: (documents, epoch) => reach.withoutDeadline(() => importDocuments(collections, documents, epoch)),
    expire: (at) => reach(() => expireSignatures(collections, at)),
  };
}

async function* exportSnapshot(
  client: MongoClient,
  replicaSet: boolean,
  collections: Collections,
): AsyncGenerator<StoredDocument> {
  const session = replicaSet ? client.startSession({ snapshot: true }) : undefined;
  // A read concern of the collection's own (connect.ts) would take the place of the snapshot's.
  const plain = collectionsOf(client.db(collections.db.databaseName));
  try {
    yield* exportDocuments(plain, session);
  } finally {
    await session?.endSession();
  }
}

/** A server asks every second: it is to know soon. */
const STATE_TIMEOUT = seconds(3);

async function readState({ meta }: Collections): Promise<StoreState> {
  const store = await meta.findOne({ _id: 'store' }, { maxTimeMS: STATE_TIMEOUT });
  const epoch: unknown = store?.['epoch'];
  const since: unknown = store?.['maintenance_since'];
  if (typeof epoch !== 'string') throw new Error("cannot find the store's epoch");
  return { epoch, ...(since instanceof Date && { maintenance_since: since }) };
}

async function setMaintenance({ meta }: Collections, since: Date | undefined): Promise<void> {
  const update = since === undefined ? { $unset: { maintenance_since: '' } } : { $set: { maintenance_since: since } };
  await meta.updateOne({ _id: 'store' }, update);
}
