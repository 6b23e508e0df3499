import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MongoClient } from 'mongodb';
import type { Clock } from '../../src/core/world.ts';
import type { StoreSettings } from '../../src/settings/server-settings.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/port.ts';
import { whenPresent } from './needs.ts';
import { scratchFolder } from './scratch.ts';
import { realClock, realRandom } from './world.ts';

export const STORE_KINDS = ['embedded', 'mongo replica set', 'mongo standalone'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** Where one store's data lies, for one test: fresh, and gone after it. */
export interface Place {
  kind: StoreKind;
  settings: StoreSettings;
  /** Opens the data, once more where it is open already; closed after the test. */
  open(options?: { clock?: Clock }): Promise<Store>;
  /** The database itself, for what the port does not show; undefined for the embedded store. */
  mongo?: { url: string; database: string };
}

type Prepare = (t: ExecutionContext) => Promise<Place>;

/**
 * Says the same sentences of each kind of store:
 *
 *     forEachStore((kind, test, prepare) => {
 *       test(`${kind}: a host is found by its name`, async (t) => {
 *         const store = await (await prepare(t)).open();
 */
export function forEachStore(
  say: (kind: StoreKind, test: ReturnType<typeof whenPresent>, prepare: Prepare) => void,
): void {
  for (const kind of STORE_KINDS) {
    const url = urlOf(kind);
    const present = kind === 'embedded' || url !== undefined;
    // One database for the tests of a file, emptied for each: to make its indexes takes MongoDB longer than most tests.
    const shared = url === undefined ? undefined : { url, database: databaseName() };
    if (shared !== undefined) test.after.always(`${kind}: the tests' database goes`, () => dropDatabase(shared));
    say(kind, whenPresent(present, `the tests of the store on ${kind}: no mongod`), (t) => placeFor(t, kind, shared));
  }
}

/** A fresh store for a test that is not about stores. */
export async function temporaryStore(
  t: ExecutionContext,
  kind: StoreKind = 'embedded',
  options: { clock?: Clock } = {},
): Promise<Store> {
  return (await temporaryPlace(t, kind)).open(options);
}

export async function temporaryPlace(t: ExecutionContext, kind: StoreKind = 'embedded'): Promise<Place> {
  const url = urlOf(kind);
  if (url === undefined) return placeFor(t, kind, undefined);
  const mongo = { url, database: databaseName() };
  t.teardown(() => dropDatabase(mongo));
  return placeFor(t, kind, mongo);
}

/** Settings of a database on one of the tests' servers. */
export function mongoSettings({ url, database }: { url: string; database: string }): StoreSettings {
  const { host, searchParams } = new URL(url);
  const set = searchParams.get('replicaSet');
  return { kind: 'mongo', hosts: [host], database, tls: false, ...(set !== null && { replica_set: set }) };
}

function urlOf(kind: StoreKind): string | undefined {
  if (kind === 'embedded') return undefined;
  return kind === 'mongo standalone'
    ? process.env['PENGUINDOME_TEST_MONGO_STANDALONE']
    : process.env['PENGUINDOME_TEST_MONGO_REPLICA_SET'];
}

async function placeFor(
  t: ExecutionContext,
  kind: StoreKind,
  mongo: { url: string; database: string } | undefined,
): Promise<Place> {
  let settings: StoreSettings;
  if (mongo === undefined) {
    settings = { kind: 'embedded', file: join(await scratchFolder(t), 'store/penguindome.db') };
  } else {
    await emptyDatabase(mongo);
    settings = mongoSettings(mongo);
  }
  return {
    kind,
    settings,
    ...(mongo && { mongo }),
    async open({ clock = realClock } = {}) {
      const store = await openStore(settings, { clock, random: realRandom });
      t.teardown(() => store.close());
      return store;
    },
  };
}

function databaseName(): string {
  return `penguindome-test-${randomBytes(8).toString('hex')}`;
}

/** Documents go, collections and indexes stay. */
async function emptyDatabase({ url, database }: { url: string; database: string }): Promise<void> {
  await withDatabase({ url, database }, async (db) => {
    for (const collection of await db.collections()) await collection.deleteMany({});
  });
}

async function dropDatabase(mongo: { url: string; database: string }): Promise<void> {
  await withDatabase(mongo, (db) => db.dropDatabase());
}

export async function withDatabase<T>(
  { url, database }: { url: string; database: string },
  work: (db: ReturnType<MongoClient['db']>) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000 });
  try {
    return await work(client.db(database));
  } finally {
    await client.close();
  }
}
