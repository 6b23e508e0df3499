import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { StoreUnavailable } from '../../../src/core/errors.ts';
import { openEngine } from '../../../src/store/embedded/engine.ts';
import { openStore } from '../../../src/store/open.ts';
import { aCheckIn, aReport, enrolledHost } from '../../support/documents.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { temporaryPlace } from '../../support/stores.ts';
import { realClock, realRandom } from '../../support/world.ts';

const world = { clock: realClock, random: realRandom };

test('the folder is 0750 and the file 0640, whatever the umask', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'a/b/penguindome.db');
  const store = await openStore({ kind: 'embedded', file }, world);
  t.teardown(() => store.close());
  t.is((await stat(join(folder, 'a/b'))).mode & 0o777, 0o750);
  t.is((await stat(file)).mode & 0o777, 0o640);
  t.is((await stat(`${file}-wal`)).mode & 0o777, 0o640);
});

test('a place where no file can be is a store that is unavailable', async (t) => {
  const folder = await scratchFolder(t);
  await writeFile(join(folder, 'file'), '');
  await mkdir(join(folder, 'folder'));
  for (const file of [join(folder, 'file/x.db'), join(folder, 'folder')]) {
    await t.throwsAsync(openStore({ kind: 'embedded', file }, world), { instanceOf: StoreUnavailable });
  }
});

test('a file that is no store is not taken for one, nor for one that is down', async (t) => {
  const file = join(await scratchFolder(t), 'x.db');
  await writeFile(file, 'this is not a database, but it is quite long, longer than a header would be'.repeat(20));
  const error = await t.throwsAsync(openStore({ kind: 'embedded', file }, world), { message: /not a database/ });
  t.false(error instanceof StoreUnavailable);
});

test('a full disk is a store that is unavailable, and nothing of the write is there', async (t) => {
  const engine = openEngine(join(await scratchFolder(t), 'x.db'));
  t.teardown(() => engine.close());
  engine.exec('CREATE TABLE t (a TEXT); PRAGMA max_page_count = 4');
  t.throws(
    () =>
      engine.transaction(() => {
        engine.run("INSERT INTO t VALUES ('small')");
        engine.run('INSERT INTO t VALUES (?)', 'x'.repeat(100_000));
      }),
    { instanceOf: StoreUnavailable, message: /full/ },
  );
  t.is(engine.get('SELECT count(*) AS n FROM t')?.['n'], 0);
  engine.run("INSERT INTO t VALUES ('small')");
});

test('a file that another process does not let go of is a store that is unavailable', async (t) => {
  const file = join(await scratchFolder(t), 'x.db');
  const [one, two] = [openEngine(file), openEngine(file, { timeout: 50 })];
  t.teardown(() => {
    one.close();
    two.close();
  });
  one.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a TEXT)');
  one.exec('BEGIN IMMEDIATE');
  t.throws(() => two.run("INSERT INTO t VALUES ('x')"), { instanceOf: StoreUnavailable, message: /locked/ });
  t.is(two.get('SELECT count(*) AS n FROM t')?.['n'], 0, 'readers go on');
  one.rollback();
  t.is(two.run("INSERT INTO t VALUES ('x')"), 1);
});

test('a question with a NUL finds nothing, not what comes before the NUL', async (t) => {
  const store = await (await temporaryPlace(t)).open();
  await store.hosts.storeV1({ hostname: 'a', at: new Date(), plugins: {}, trail: [] });
  t.is(await store.hosts.find('a\0b'), undefined);
});

test('a quiet check-in writes a few pages, however long the document', async (t) => {
  const place = await temporaryPlace(t);
  const store = await place.open();
  const host = await enrolledHost(store);
  const report = aReport(host, { plugins: { long: 'x'.repeat(5_000_000) } });
  await store.hosts.storeReport(report);
  const wal = async () => (place.settings.kind === 'embedded' ? (await stat(`${place.settings.file}-wal`)).size : 0);
  // a checkpoint lets the log begin anew, and it never shrinks: begin with a short one
  const engine = openEngine(place.settings.kind === 'embedded' ? place.settings.file : '');
  engine.all('PRAGMA wal_checkpoint(TRUNCATE)');
  engine.close();
  t.true(await store.hosts.checkIn(aCheckIn(report)));
  t.true((await wal()) <= 4 * 4200, `${await wal()} bytes`);
});

test('an export leaves no copy behind, also where its reader stops early', async (t) => {
  const place = await temporaryPlace(t);
  const store = await place.open();
  for (const hostname of ['a', 'b']) await store.hosts.storeV1({ hostname, at: new Date(), plugins: {}, trail: [] });
  for await (const { document } of store.upkeep.export()) {
    t.is(document['hostname'], 'a');
    break;
  }
  const folder = place.settings.kind === 'embedded' ? join(place.settings.file, '..') : '';
  t.deepEqual((await readdir(folder)).sort(), ['penguindome.db', 'penguindome.db-shm', 'penguindome.db-wal']);
});
