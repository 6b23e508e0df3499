import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MongoClient } from 'mongodb';
import type { Log } from '../../src/core/events.ts';
import type { Clock } from '../../src/core/world.ts';
import type { StoreSettings } from '../../src/settings/server-settings.ts';
import { openShared } from '../../src/store/embedded/open-shared.ts';
import { serveWrites } from '../../src/store/embedded/serve-writes.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/port.ts';
import { whenPresent } from './needs.ts';
import { scratchFolder } from './scratch.ts';
import { realClock, realRandom, WRITER_VERSION } from './world.ts';

export const STORE_KINDS = ['embedded', 'embedded, shared writer', 'mongo replica set', 'mongo standalone'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** Where one store's data lies, for one test: fresh, and gone after it. */
export interface Place {
  kind: StoreKind;
  settings: StoreSettings;
  /** what a program of test/support/programs/ opens it by, as JSON */
  forProgram: string;
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
    const present = isEmbedded(kind) || url !== undefined;
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

export function isEmbedded(kind: StoreKind): boolean {
  return kind === 'embedded' || kind === 'embedded, shared writer';
}

function urlOf(kind: StoreKind): string | undefined {
  if (isEmbedded(kind)) return undefined;
  return kind === 'mongo standalone'
    ? process.env['PENGUINDOME_TEST_MONGO_STANDALONE']
    : process.env['PENGUINDOME_TEST_MONGO_REPLICA_SET'];
}

async function placeFor(
  t: ExecutionContext,
  kind: StoreKind,
  mongo: { url: string; database: string } | undefined,
): Promise<Place> {
  if (mongo === undefined) return embeddedPlace(t, kind);
  await emptyDatabase(mongo);
  const settings = mongoSettings(mongo);
  return {
    kind,
    settings,
    forProgram: JSON.stringify({ settings }),
    mongo,
    async open({ clock = realClock } = {}) {
      const store = await openStore(settings, { clock, random: realRandom });
      t.teardown(() => store.close());
      return store;
    },
  };
}

/** With a shared writer, that one runs in the test's own process, and is asked over its socket like any other. */
async function embeddedPlace(t: ExecutionContext, kind: StoreKind): Promise<Place> {
  const folder = await scratchFolder(t);
  const file = join(folder, 'store/penguindome.db');
  const settings: StoreSettings = { kind: 'embedded', file };
  const world = { clock: realClock, random: realRandom };
  if (kind === 'embedded') {
    return {
      kind,
      settings,
      forProgram: JSON.stringify({ settings }),
      async open(options = {}) {
        const store = await openStore(settings, { ...world, ...options });
        t.teardown(() => store.close());
        return store;
      },
    };
  }
  const socket = join(folder, 'writer');
  const writer = await serveWrites({ file, socket, version: WRITER_VERSION, ...world, log: unexpectedEvents });
  t.teardown(() => writer.close());
  return {
    kind,
    settings,
    forProgram: JSON.stringify({ settings, socket }),
    async open(options = {}) {
      const store = await openShared({ file, socket, version: WRITER_VERSION, ...world, ...options });
      t.teardown(() => store.close());
      return store;
    },
  };
}

/** A writer tells of nothing but connections that it had to end. */
const unexpectedEvents: Log = {
  event: (name, fields) => {
    throw new Error(`the writer told ${name}: ${JSON.stringify(fields)}`);
  },
};

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
