import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import Libsql from 'libsql';
import { MongoClient } from 'mongodb';
import { StoreUnavailable } from '../../../src/core/errors.ts';
import type { StoreSettings } from '../../../src/settings/server-settings.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/port.ts';
import { whenPresent } from '../../support/needs.ts';
import { mongod, type ownMongod, ownMongodIn } from '../../support/own-mongod.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { realClock, realRandom } from '../../support/world.ts';
import { crowdJournal } from './crowd-journal.ts';

export const KINDS = ['embedded', 'mongo replica set', 'mongo standalone'] as const;
export type Kind = (typeof KINDS)[number];

/** The data of one test's store: its own file, or its own mongod, to do harm to. */
export interface Place {
  kind: Kind;
  settings: StoreSettings;
  /** Opens it beside the server, as soon as it can be reached. The caller closes it, or the test's end does. */
  open(): Promise<Store>;
  /** Does the work, from the start again while the store cannot be reached. */
  patiently<T>(work: () => Promise<T>): Promise<T>;
  /** What is wrong with the data as the database itself sees it: PRAGMA integrity_check, or validate of every collection. */
  problems(): Promise<string[]>;
  /** Once the disk is full: writes until the database has noticed. */
  crowd(): Promise<void>;
  /** the mongod; undefined for the embedded store */
  mongod: Awaited<ReturnType<typeof ownMongod>> | undefined;
}

/** Says the same of each kind of store. */
export function forEachPlace(
  kinds: readonly Kind[],
  say: (
    kind: Kind,
    test: ReturnType<typeof whenPresent>,
    prepare: (t: ExecutionContext, folder?: string) => Promise<Place>,
  ) => void,
): void {
  for (const kind of kinds) {
    const present = kind === 'embedded' || mongod !== undefined;
    say(kind, whenPresent(present, `faults on ${kind}: no mongod`), (t, folder) => preparePlace(t, kind, folder));
  }
}

/** What a mongod takes at its start is hundreds of megabytes otherwise: too much for a small disk, and for many at once. */
const SMALL = [
  '--wiredTigerCacheSizeGB',
  '0.25',
  '--wiredTigerEngineConfigString',
  'log=(file_max=2MB,prealloc=false)',
];

/**
 * On a small disk: a mongod that ends again and again before its next checkpoint (a minute, otherwise) keeps all of its journal, until that alone
 * fills the disk and it cannot start any more.
 */
const SOON_WITHOUT_JOURNAL = ['--setParameter', 'syncdelay=1'];

/** @param folder where the data is to lie; a scratch folder where none is given */
async function preparePlace(t: ExecutionContext, kind: Kind, folder?: string): Promise<Place> {
  if (kind === 'embedded') {
    const file = join(folder ?? (await scratchFolder(t)), 'store/penguindome.db');
    return placeOf(
      t,
      kind,
      { kind: 'embedded', file },
      { problems: () => checkFile(file), crowd: async () => undefined },
    );
  }
  const args = [
    ...(kind === 'mongo replica set' ? ['--replSet', 'rs0'] : []),
    ...SMALL,
    ...(folder ? SOON_WITHOUT_JOURNAL : []),
  ];
  const server = await ownMongodIn(folder ?? (await scratchFolder(t)), t, ...args);
  const [host = ''] = server.settings.hosts;
  const url = `mongodb://${host}/?directConnection=true`;
  if (kind === 'mongo replica set') await initiate(url, host);
  const settings = { ...server.settings, ...(kind === 'mongo replica set' && { replica_set: 'rs0' }) };
  return placeOf(t, kind, settings, {
    problems: () => validate(url, settings.database),
    crowd: () => crowdJournal(url),
    mongod: server,
  });
}

function placeOf(
  t: ExecutionContext,
  kind: Kind,
  settings: StoreSettings,
  { problems, crowd, mongod }: Pick<Place, 'problems' | 'crowd'> & { mongod?: Place['mongod'] },
): Place {
  return {
    kind,
    settings,
    problems,
    crowd,
    patiently,
    mongod,
    async open() {
      const store = await patiently(() => openStore(settings, { clock: realClock, random: realRandom }));
      t.teardown(() => store.close());
      return store;
    },
  };
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}

async function initiate(url: string, host: string): Promise<void> {
  const client = new MongoClient(url);
  try {
    const admin = client.db('admin');
    await admin.command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host }] } });
    while ((await admin.command({ hello: 1 }))['isWritablePrimary'] !== true) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await client.close();
  }
}

async function checkFile(file: string): Promise<string[]> {
  const database = new Libsql(file);
  try {
    const rows: unknown[] = database.prepare('PRAGMA integrity_check').all();
    return rows.map((row) => String(Reflect.get(Object(row), 'integrity_check'))).filter((said) => said !== 'ok');
  } finally {
    database.close();
  }
}

async function validate(url: string, name: string): Promise<string[]> {
  const client = new MongoClient(url);
  try {
    const db = client.db(name);
    const problems: string[] = [];
    for (const { name: collection } of await db.listCollections({}, { nameOnly: true }).toArray()) {
      const said = await db.command({ validate: collection, full: true });
      if (said['valid'] !== true) problems.push(`${collection}: ${JSON.stringify(said['errors'])}`);
    }
    return problems;
  } finally {
    await client.close();
  }
}
