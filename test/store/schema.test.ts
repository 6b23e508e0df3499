import { join } from 'node:path';
import test from 'ava';
import { OperatorError } from '../../src/core/errors.ts';
import { openEngine } from '../../src/store/embedded/engine.ts';
import { MIGRATIONS, migrate } from '../../src/store/embedded/schema.ts';
import { ANY_CASE, collectionsOf, makeIndexes } from '../../src/store/mongo/collections.ts';
import { MIGRATIONS as MONGO_MIGRATIONS, migrate as migrateMongo } from '../../src/store/mongo/schema.ts';
import { aReport, enrolledHost } from '../support/documents.ts';
import { scratchFolder } from '../support/scratch.ts';
import { forEachStore, withDatabase } from '../support/stores.ts';

test('embedded: a migration to come keeps what is there, and runs once', async (t) => {
  const engine = openEngine(join(await scratchFolder(t), 'x.db'));
  t.teardown(() => engine.close());
  migrate(engine, 'epoch-1', MIGRATIONS);
  engine.run("INSERT INTO hosts (hostname) VALUES ('kept')");
  const next = [
    ...MIGRATIONS,
    'ALTER TABLE hosts ADD COLUMN note TEXT',
    "UPDATE hosts SET note = coalesce(note, '') || 'x'",
  ];
  migrate(engine, 'epoch-2', next);
  migrate(engine, 'epoch-3', next);
  const { hostname, note } = engine.get('SELECT hostname, note FROM hosts') ?? t.fail();
  t.deepEqual({ hostname, note }, { hostname: 'kept', note: 'x' });
  t.is(engine.get("SELECT value FROM meta WHERE key = 'epoch'")?.['value'], 'epoch-1');
});

test('embedded: hosts whose names differ in case only, from before that was looked at, stay', async (t) => {
  const engine = openEngine(join(await scratchFolder(t), 'x.db'));
  t.teardown(() => engine.close());
  migrate(engine, 'epoch', MIGRATIONS.slice(0, 5));
  for (const name of ['Lap-7', 'lap-7'])
    engine.run('INSERT INTO hosts (hostname, host_id) VALUES (?, ?)', name, `id of ${name}`);
  migrate(engine, 'epoch', MIGRATIONS);
  t.deepEqual(
    engine.all('SELECT hostname FROM hosts ORDER BY id').map(({ hostname }) => hostname),
    ['Lap-7', 'lap-7'],
  );
});

test('embedded: a name in any case is found by an index', async (t) => {
  const engine = openEngine(join(await scratchFolder(t), 'x.db'));
  t.teardown(() => engine.close());
  migrate(engine, 'epoch', MIGRATIONS);
  for (const table of ['hosts', 'enrollments']) {
    const plan = engine.all(`EXPLAIN QUERY PLAN SELECT * FROM ${table} WHERE hostname = ? COLLATE NOCASE`, 'a');
    t.regex(JSON.stringify(plan), new RegExp(`USING INDEX ${table}_any_case`));
  }
});

test('embedded: a migration that fails leaves the file as it was', async (t) => {
  const engine = openEngine(join(await scratchFolder(t), 'x.db'));
  t.teardown(() => engine.close());
  migrate(engine, 'epoch', MIGRATIONS);
  const broken = [...MIGRATIONS, 'CREATE TABLE half (a TEXT); CREATE TABLE hosts (b TEXT)'];
  t.throws(() => migrate(engine, 'epoch', broken), { message: /already exists/ });
  t.is(engine.get("SELECT name FROM sqlite_master WHERE name = 'half'"), undefined);
  t.is(engine.get('PRAGMA user_version')?.['user_version'], MIGRATIONS.length);
});

test('embedded: a schema newer than ours is refused with what to do', async (t) => {
  const engine = openEngine(join(await scratchFolder(t), 'x.db'));
  t.teardown(() => engine.close());
  engine.exec('PRAGMA user_version = 99');
  t.throws(() => migrate(engine, 'epoch', MIGRATIONS), {
    instanceOf: OperatorError,
    message: /schema has version 99.*install a newer penguindome/,
  });
});

forEachStore((kind, storeTest, prepare) => {
  storeTest(`${kind}: a store opens again with all it held`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const host = await enrolledHost(store);
    await store.hosts.storeReport(aReport(host));
    const before = [await store.hosts.find(host.hostname), await store.state()];
    await store.close();
    const again = await place.open();
    t.deepEqual([await again.hosts.find(host.hostname), await again.state()], before);
  });

  storeTest(`${kind}: opened by several at once for the first time, it has one epoch`, async (t) => {
    const place = await prepare(t);
    const stores = await Promise.all([place.open(), place.open(), place.open(), place.open()]);
    const epochs = await Promise.all(stores.map((store) => store.state()));
    t.is(new Set(epochs.map(({ epoch }) => epoch)).size, 1);
  });

  if (kind.startsWith('embedded')) return;

  storeTest(`${kind}: hosts of v2 whose names differ in case only, from before that was looked at, stay`, async (t) => {
    const place = await prepare(t);
    await (await place.open()).close();
    await withDatabase(place.mongo ?? t.fail(), async (db) => {
      await db.collection('clients').dropIndex('one_of_v2');
      await db.collection('meta').updateOne({}, { $set: { schema: 3 } });
      const hosts = ['Lap-7', 'lap-7'].map((name) => ({ hostname: name, identity: { host_id: `id of ${name}` } }));
      await db.collection('clients').insertMany(hosts);
    });
    const store = await place.open();
    t.deepEqual(
      (await store.hosts.namesakes('LAP-7')).map(({ hostname }) => hostname),
      ['Lap-7', 'lap-7'],
    );
    t.is(await store.hosts.count(), 2);
    await withDatabase(place.mongo ?? t.fail(), async (db) => {
      await db.collection('clients').deleteMany({});
      // the tests of this file share a database
      await makeIndexes(collectionsOf(db));
    });
  });

  storeTest(`${kind}: a name in any case is found by an index`, async (t) => {
    const place = await prepare(t);
    await (await place.open()).close();
    const names = { $in: ['a', 'b'] };
    const asked: Record<string, object> = {
      clients: { hostname: 'a' },
      enrollments: { $or: [{ hostname: names }, { former_hostnames: names }] },
    };
    for (const [collection, filter] of Object.entries(asked)) {
      const plan = await withDatabase(place.mongo ?? t.fail(), (db) =>
        db.collection(collection).find(filter, { collation: ANY_CASE }).explain('queryPlanner'),
      );
      const said = JSON.stringify(plan['queryPlanner']?.winningPlan);
      t.regex(said, /_any_case/, collection);
      t.notRegex(said, /COLLSCAN/, collection);
    }
  });

  storeTest(`${kind}: a migration to come runs after ours, and its version is kept`, async (t) => {
    const place = await prepare(t);
    const { epoch } = await (await place.open()).state();
    const ran: number[] = [];
    const next = [
      ...MONGO_MIGRATIONS,
      async () => {
        ran.push(MONGO_MIGRATIONS.length + 1);
      },
    ];
    await withDatabase(place.mongo ?? t.fail(), async (db) => {
      await migrateMongo(collectionsOf(db), 'other', next);
      await migrateMongo(collectionsOf(db), 'other', next);
    });
    t.deepEqual(ran, [MONGO_MIGRATIONS.length + 1]);
    await t.throwsAsync(place.open(), { instanceOf: OperatorError, message: /install a newer penguindome/ });
    const meta = await withDatabase(place.mongo ?? t.fail(), (db) => db.collection('meta').findOne({}));
    t.is(meta?.['epoch'], epoch);
  });
});
