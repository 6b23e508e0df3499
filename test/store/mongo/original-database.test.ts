import { Binary, type Db, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { v7 } from 'uuid';
import { identityOf } from '../../../src/core/enrollment.ts';
import type { StoredDocument } from '../../../src/store/port.ts';
import { anEnrollment } from '../../support/documents.ts';
import { forEachStore, withDatabase } from '../../support/stores.ts';

const at = (hour: number) => new Date(Date.UTC(2024, 9, 15, hour, 0, 0, 123));
const patch = new ObjectId('65f0a1b2c3d4e5f6a7b8c9d0');

/** As the original leaves its database, with fields and collections that we know nothing of. */
async function fill(db: Db): Promise<void> {
  await db.collection('clients').createIndex({ hostname: 1 }, { unique: true, name: 'hostname_1' });
  await db.collection('clients').createIndex({ suspended: 1 });
  await db.collection('patches').createIndex({ pending_hosts: 1 });
  await db.collection('clients').insertMany([
    {
      hostname: 'penguin-01',
      submitted_at: at(10),
      collected_at: at(9),
      plugins: {
        submitted_at: at(10),
        os_info: { distname: 'Debian', uptime: Long.fromString('5000000000') },
        sshd: { stdout: '', stderr: 'x', returncode: new Int32(1) },
        'geolocation-encrypted': { hash: 'abc', data: 'ZGF0YQ==' },
        cached_at: 'not a date',
      },
      commands: { ls: { output: 'a', submitted_at: at(8) } },
      suspended: true,
      owner: {
        ref: new ObjectId('0123456789abcdef01234567'),
        since: at(1),
        weight: new Double(2.5),
        tags: ['a', { b: null }],
      },
      blob: new Binary(Buffer.from([0, 1, 2])),
      price: Decimal128.fromString('1.10'),
      huge: Long.fromString('9223372036854775807'),
    },
    { hostname: 'bare' },
    { hostname: 'odd', plugins: 'unknown', submitted_at: 'yesterday' },
  ]);
  await db.collection('issues').insertMany([
    { hostname: 'penguin-01', name: 'disk', opened_at: at(3), alerted_at: at(4), grace: 7 },
    { hostname: 'penguin-01', name: 'disk', opened_at: at(2), snoozed_at: at(3), unsnooze_at: at(5) },
    { hostname: 'penguin-01', name: 'disk', opened_at: at(1), closed_at: at(2) },
    { hostname: 'bare', name: 'not-reporting', opened_at: at(1) },
  ]);
  await db.collection('audit_trail').insertMany([
    { hostname: 'penguin-01', audited_at: at(1), key: 'plugins.a', type: 'add', new: { x: 1 }, by: 'hand' },
    { hostname: 'penguin-01', audited_at: at(2), key: 'plugins.a', action: 'delete', old: { x: 1 } },
  ]);
  await db.collection<{ _id: ObjectId }>('patches').insertOne(
    Object.assign(
      { _id: patch },
      {
        files: [{ path: 'plugins/x', mode: 0o755, content: 'eA==' }],
        pending_hosts: ['penguin-01'],
        completed_hosts: [],
        note: 'kept',
      },
    ),
  );
  await db
    .collection('client_parameters')
    .insertOne({ hostname: 'penguin-01', parameter: 'user', value: 'Jo', at: at(1) });
  await db.collection('releases_seen').insertOne({ n: 1 });
}

async function everything(documents: AsyncIterable<StoredDocument>): Promise<StoredDocument[]> {
  const found: StoredDocument[] = [];
  for await (const document of documents) found.push(document);
  return found;
}

forEachStore((kind, test, prepare) => {
  if (kind.startsWith('embedded')) return;

  test(`${kind}: an original database opens as it is, and no field of it changes`, async (t) => {
    const place = await prepare(t);
    const mongo = place.mongo ?? t.fail();
    const read = (db: Db) =>
      Promise.all(
        ['clients', 'audit_trail', 'patches', 'client_parameters', 'releases_seen', 'issues'].map((name) =>
          db
            .collection(name)
            .find({}, { projection: { open: 0 }, promoteValues: false })
            .sort({ _id: 1 })
            .toArray(),
        ),
      );
    await withDatabase(mongo, fill);
    const before = await withDatabase(mongo, read);
    await place.open();
    await place.open();
    t.deepEqual(await withDatabase(mongo, read), before);
  });

  test(`${kind}: hosts of an original database are read with all their fields`, async (t) => {
    const place = await prepare(t);
    await withDatabase(place.mongo ?? t.fail(), fill);
    const store = await place.open();
    t.deepEqual(Object(await store.hosts.find('penguin-01')), {
      hostname: 'penguin-01',
      submitted_at: at(10),
      collected_at: at(9),
      plugins: {
        submitted_at: at(10),
        os_info: { distname: 'Debian', uptime: 5_000_000_000 },
        sshd: { stdout: '', stderr: 'x', returncode: 1 },
        'geolocation-encrypted': { hash: 'abc', data: 'ZGF0YQ==' },
        cached_at: 'not a date',
      },
      commands: { ls: { output: 'a', submitted_at: at(8) } },
      suspended: true,
      owner: { ref: '0123456789abcdef01234567', since: at(1), weight: 2.5, tags: ['a', { b: null }] },
      blob: 'AAEC',
      price: '1.10',
      huge: 2 ** 63,
    });
    t.deepEqual(await store.hosts.find('odd'), { hostname: 'odd' }, 'what is not of its type is left out');
    t.is(await store.hosts.count(), 3);
  });

  test(`${kind}: a report, a check of it and an identity leave the fields that we do not know`, async (t) => {
    const place = await prepare(t);
    const mongo = place.mongo ?? t.fail();
    await withDatabase(mongo, fill);
    const store = await place.open();
    const identity = identityOf(anEnrollment({ hostname: 'penguin-01' }), at(12));
    await store.hosts.storeV1({ hostname: 'penguin-01', at: at(11), plugins: { a: 1 }, trail: [] });
    await store.hosts.attach('penguin-01', identity, { adopt: true });
    await store.hosts.saveJudgement('penguin-01', at(11), { version: 'x', evaluated_at: at(11), results: {} });
    const [raw] = await withDatabase(mongo, (db) =>
      db.collection('clients').find({ hostname: 'penguin-01' }, { promoteValues: false }).toArray(),
    );
    const { owner, blob, price, huge } = raw ?? t.fail();
    t.deepEqual(
      { owner, blob, price, huge },
      {
        owner: {
          ref: new ObjectId('0123456789abcdef01234567'),
          since: at(1),
          weight: new Double(2.5),
          tags: ['a', { b: null }],
        },
        blob: new Binary(Buffer.from([0, 1, 2])),
        price: Decimal128.fromString('1.10'),
        huge: Long.fromString('9223372036854775807'),
      },
    );
  });

  test(`${kind}: of an issue that is open twice one episode counts, and both are closed`, async (t) => {
    const place = await prepare(t);
    await withDatabase(place.mongo ?? t.fail(), fill);
    const store = await place.open();
    t.deepEqual(await everyOpen(store.issues.listOpen()), ['bare not-reporting', 'penguin-01 disk']);
    t.false(await store.issues.open('penguin-01', 'disk', at(20)));
    t.true(await store.issues.close('penguin-01', 'disk', at(20)));
    t.false(await store.issues.close('penguin-01', 'disk', at(21)));
    t.deepEqual(await everyOpen(store.issues.listOpen()), ['bare not-reporting']);
    const history = await store.issues.history({ hostnames: ['penguin-01'], limit: 9 });
    t.deepEqual(
      history.map(({ closed_at }) => closed_at),
      [at(20), at(20), at(2)],
    );
    t.true(await store.issues.open('penguin-01', 'disk', at(22)));
  });

  test(`${kind}: the trail of the original is read, its word for "delete" too`, async (t) => {
    const place = await prepare(t);
    await withDatabase(place.mongo ?? t.fail(), fill);
    const store = await place.open();
    t.deepEqual(await store.trail.history('penguin-01', { limit: 9 }), [
      { hostname: 'penguin-01', audited_at: at(2), key: 'plugins.a', type: 'delete', old: { x: 1 } },
      { hostname: 'penguin-01', audited_at: at(1), key: 'plugins.a', type: 'add', new: { x: 1 } },
    ]);
  });

  test(`${kind}: an export of an original database holds all of it, and gives the same when imported`, async (t) => {
    const place = await prepare(t);
    await withDatabase(place.mongo ?? t.fail(), fill);
    const store = await place.open();
    const exported = await everything(store.upkeep.export());
    t.deepEqual(
      [...new Set(exported.map(({ collection }) => collection))],
      ['clients', 'issues', 'patches', 'client_parameters', 'releases_seen', 'audit_trail'],
    );
    t.deepEqual(exported.find(({ document }) => document['hostname'] === 'penguin-01')?.document['huge'], {
      $numberLong: '9223372036854775807',
    });
    await store.upkeep.import(
      (async function* () {
        yield* exported;
      })(),
      v7(),
    );
    t.deepEqual(await everything(store.upkeep.export()), exported);
    t.deepEqual(await everyOpen(store.issues.listOpen()), ['bare not-reporting', 'penguin-01 disk']);
  });
});

async function everyOpen(issues: AsyncIterable<{ hostname: string; name: string }>): Promise<string[]> {
  const found: string[] = [];
  for await (const { hostname, name } of issues) found.push(`${hostname} ${name}`);
  return found;
}
