import { join } from 'node:path';
import test from 'ava';
import { StoreUnavailable } from '../../../src/core/errors.ts';
import { type Engine, openEngine } from '../../../src/store/embedded/engine.ts';
import { groupCommits } from '../../../src/store/embedded/group-commit.ts';
import { scratchFolder } from '../../support/scratch.ts';

async function table(t: Parameters<typeof scratchFolder>[0]): Promise<{ file: string; engine: Engine }> {
  const file = join(await scratchFolder(t), 'x.db');
  const engine = openEngine(file);
  t.teardown(() => engine.close());
  engine.exec('PRAGMA journal_mode = WAL; CREATE TABLE n (n INTEGER UNIQUE)');
  return { file, engine };
}

const numbers = (engine: Engine) => engine.all('SELECT n FROM n ORDER BY n').map(({ n }) => n);

test('what is asked for in one turn is one transaction: another reader sees all of it or nothing', async (t) => {
  const { file, engine } = await table(t);
  const reader = openEngine(file);
  t.teardown(() => reader.close());
  const group = groupCommits(engine);
  const seen: unknown[][] = [];
  await Promise.all(
    [1, 2, 3].map((n) =>
      group.commit(() => {
        engine.run('INSERT INTO n VALUES (?)', n);
        seen.push(numbers(reader));
      }),
    ),
  );
  t.deepEqual(seen, [[], [], []]);
  t.deepEqual(numbers(reader), [1, 2, 3]);
});

test('one that throws undoes its own writes and no other; each learns its own result', async (t) => {
  const { engine } = await table(t);
  const group = groupCommits(engine);
  const said = await Promise.allSettled([
    group.commit(() => engine.run('INSERT INTO n VALUES (1)')),
    group.commit(() =>
      engine.transaction(() => {
        engine.run('INSERT INTO n VALUES (2)');
        engine.run('INSERT INTO n VALUES (1)');
      }),
    ),
    group.commit(() => engine.transaction(() => engine.run('INSERT INTO n VALUES (3)'))),
  ]);
  t.deepEqual(
    said.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  t.deepEqual(numbers(engine), [1, 3]);
  t.false(engine.inTransaction());
});

test('where the group does not get to disk, none of it is said to be done', async (t) => {
  const { engine } = await table(t);
  const group = groupCommits(engine);
  const pages = Number(engine.get('PRAGMA page_count')?.['page_count']);
  engine.exec(`CREATE TABLE big (b BLOB); PRAGMA max_page_count = ${pages + 20}`);
  const said = await Promise.allSettled([
    group.commit(() => engine.run('INSERT INTO n VALUES (1)')),
    group.commit(() => engine.run('INSERT INTO big VALUES (zeroblob(1000000))')),
    group.commit(() => engine.run('INSERT INTO n VALUES (2)')),
  ]);
  const failed = said.filter((each) => each.status === 'rejected');
  t.true(failed.some(({ reason }) => reason instanceof StoreUnavailable));
  const done = said.flatMap((each, index) => (each.status === 'fulfilled' ? [index === 0 ? 1 : 2] : []));
  t.deepEqual(numbers(engine), done, 'what is said to be done is there, and nothing else');
  t.false(engine.inTransaction());
});

test('a group larger than one transaction takes is done whole', async (t) => {
  const { engine } = await table(t);
  const group = groupCommits(engine);
  await Promise.all(
    Array.from({ length: 200 }, (_, n) => group.commit(() => engine.run('INSERT INTO n VALUES (?)', n))),
  );
  t.is(numbers(engine).length, 200);
});

test('flush does at once what waits, so that nothing is lost when the store closes', async (t) => {
  const { engine } = await table(t);
  const group = groupCommits(engine);
  const done = group.commit(() => engine.run('INSERT INTO n VALUES (1)'));
  group.flush();
  t.deepEqual(numbers(engine), [1]);
  t.is(await done, 1);
});
