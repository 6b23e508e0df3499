import type { ExecutionContext } from 'ava';
import { v7 } from 'uuid';
import { type CopyDeps, copyDatabase } from '../../../src/admin/original/copy-database.ts';
import { openOriginalDatabase } from '../../../src/store/original-database.ts';
import type { StoredDocument } from '../../../src/store/port.ts';
import { aToken, enrolledHost } from '../../support/documents.ts';
import { badText, insertRaw } from '../../support/insert-raw.ts';
import { whenPresent } from '../../support/needs.ts';
import { dumpDatabase, FILLED, fillOriginal } from '../../support/original.ts';
import { temporaryPlace, temporaryStore, withDatabase } from '../../support/stores.ts';
import { realClock } from '../../support/world.ts';

for (const kind of ['mongo standalone', 'mongo replica set'] as const) {
  const url =
    process.env[
      kind === 'mongo standalone' ? 'PENGUINDOME_TEST_MONGO_STANDALONE' : 'PENGUINDOME_TEST_MONGO_REPLICA_SET'
    ];
  const test = whenPresent(url !== undefined, `a copy of an original's database on ${kind}: no mongod`);

  async function prepared(t: ExecutionContext) {
    const { mongo, settings } = await temporaryPlace(t, kind);
    if (mongo === undefined || settings.kind !== 'mongo') throw new Error('there is no mongod');
    await withDatabase(mongo, fillOriginal);
    const original = await openOriginalDatabase(settings, undefined);
    t.teardown(() => original.close());
    const store = await temporaryStore(t);
    const deps: CopyDeps = { store, original, clock: realClock, signal: new AbortController().signal, pause: 0 };
    return { mongo, store, original, deps };
  }

  test(`${kind}: an original's database is copied whole, and not touched`, async (t) => {
    const { mongo, store, deps } = await prepared(t);
    const before = await withDatabase(mongo, dumpDatabase);
    const token = aToken();
    await store.tokens.insert(token);
    const epoch = v7();
    t.deepEqual(await copyDatabase(deps, epoch), { counts: FILLED, unreadable: [] });
    t.deepEqual(await withDatabase(mongo, dumpDatabase), before);
    t.deepEqual(await store.state(), { epoch });
    const work = await store.hosts.find('work');
    t.like(work, { submitted_at: new Date('2024-10-03T10:00:00.123Z'), plugins: { a·b: [1, 2.5, null] } });
    t.like(await store.hosts.find('home'), { suspended: true, plugins: { firewall: 'unknown' } });
    t.is((await store.trail.history('work', { limit: 9 }))[1]?.type, 'delete');
    t.is((await store.issues.history({ limit: 9 })).length, 2);
    t.is((await store.patches.pendingFor('home'))[0]?.id, '65f0a1b2c3d4e5f6a7b8c9d0');
    t.is((await store.tokens.list())[0]?.id, token.id, 'what was there stays');
    const parameters = (await everything(store.upkeep.export())).filter(
      ({ collection }) => collection === 'client_parameters',
    );
    t.is(parameters.length, 4);
  });

  test(`${kind}: documents that cannot be read, or are none, are named, and the others come`, async (t) => {
    const { mongo, store, deps } = await prepared(t);
    await insertRaw(mongo.url, { ...mongo, collection: 'clients' }, badText({ _id: 'x1', hostname: 'BAD' }));
    await withDatabase(mongo, async (db) => {
      await db.collection('clients').insertOne({ plugins: {} });
      await db.collection('issues').insertOne({ about: 'nothing' });
      await db.collection('audit_trail').insertOne({ hostname: 'work', key: 'x' });
      await db.collection('arch_security_updates').insertOne({ name: 'openssl' });
      await db.collection('clients').insertOne({ hostname: 'trojan', identity: { host_id: v7(), keys: [] } });
    });
    const { counts, unreadable } = await copyDatabase(deps, v7());
    t.like(counts, { clients: 4, issues: 3, audit_trail: 3, arch_security_updates: 1 });
    t.deepEqual(unreadable.map(({ collection }) => collection).sort(), ['audit_trail', 'clients', 'clients', 'issues']);
    t.true(unreadable.some(({ id, why }) => id === 'x1' && /UTF-8/i.test(why)));
    t.is(await store.hosts.count(), 3);
    t.is((await store.hosts.find('trojan'))?.identity, undefined, 'nobody comes in by what a database says');
  });

  test(`${kind}: where hosts are here already, or the original writes on, nothing is copied`, async (t) => {
    const { mongo, store, original, deps } = await prepared(t);
    const { epoch } = await store.state();
    const moving = {
      ...original,
      async *documents(tell: Parameters<typeof original.documents>[0]) {
        yield* original.documents(tell);
        yield { collection: 'clients', document: { hostname: 'new' }, id: () => 'new' };
      },
    };
    await t.throwsAsync(copyDatabase({ ...deps, original: moving }, v7()), {
      message: /clients had 2 documents and then 3: stop the original's server/,
    });
    t.is(await store.hosts.count(), 0);
    t.deepEqual(await store.state(), { epoch }, 'and no mark of maintenance');
    await withDatabase(mongo, (db) => db.collection('clients').updateOne({ hostname: 'home' }, { $set: { x: 1 } }));
    await enrolledHost(store);
    await t.throwsAsync(copyDatabase(deps, v7()), { message: /hosts have reported or enrolled here already/ });
    t.is(await store.hosts.count(), 1);
  });

  test(`${kind}: a second document of one host is named, and the first one counts`, async (t) => {
    const { mongo, store, deps } = await prepared(t);
    await withDatabase(mongo, async (db) => {
      await db.collection('clients').dropIndex('hostname_1');
      await db.collection('clients').insertOne({ hostname: 'work', plugins: {} });
    });
    const { counts, unreadable } = await copyDatabase(deps, v7());
    t.is(counts['clients'], 2);
    t.is(unreadable.length, 1);
    t.truthy((await store.hosts.find('work'))?.plugins?.['sshd']);
  });
}

async function everything(documents: AsyncIterable<StoredDocument>): Promise<StoredDocument[]> {
  const found: StoredDocument[] = [];
  for await (const document of documents) found.push(document);
  return found;
}
