import { readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { collectorTools } from '../../src/agent/collector-tools.ts';
import { scratchFolder } from '../support/scratch.ts';
import { realClock } from '../support/world.ts';

const settings = { collect_interval: 600_000, submit_interval: 60_000, collectors: { disabled: [], enabled: [] } };

test('what a collector keeps is there in the next run, and for nobody else to read', async (t) => {
  const folder = join(await scratchFolder(t), 'kept/session');
  const tools = () => collectorTools({ folder, clock: realClock, settings, keeps: true });
  t.is(await tools().recall('lock'), undefined);
  await tools().keep('lock', { users: ['ann'] });
  t.deepEqual((await tools().recall('lock'))?.value, { users: ['ann'] });
  t.is((await stat(folder)).mode & 0o777, 0o700);
  t.is((await stat(join(folder, 'lock.json'))).mode & 0o777, 0o600);
});

test('where one only looks nothing is kept, and what was kept is seen', async (t) => {
  const folder = join(await scratchFolder(t), 'kept');
  const tools = (keeps: boolean) => collectorTools({ folder, clock: realClock, settings, keeps });
  await tools(false).keep('a', 1);
  t.is(await tools(false).recall('a'), undefined);
  await tools(true).keep('a', 1);
  await tools(false).keep('a', 2);
  t.is((await tools(false).recall('a'))?.value, 1);
});

test('a kept file that is broken, enormous, a link or a folder is as good as none, and is replaced', async (t) => {
  const folder = await scratchFolder(t);
  const tools = collectorTools({ folder, clock: realClock, settings, keeps: true });
  const file = join(folder, 'a.json');
  for (const text of ['', '{', '[]', '{"value":1}', '{"at":"yesterday","value":1}', `"${'x'.repeat(5_000_000)}"`]) {
    await writeFile(file, text);
    t.is(await tools.recall('a'), undefined, text.slice(0, 40));
  }
  await writeFile(join(folder, 'elsewhere'), '{"at":"2026-01-01T00:00:00.000Z","value":1}');
  await symlink('elsewhere', join(folder, 'b.json'));
  t.is(await tools.recall('b'), undefined);
  await tools.keep('a', 2);
  t.is((await tools.recall('a'))?.value, 2);
  t.false((await readdir(folder)).some((name) => name.startsWith('.tmp-')));
});

test('a key that would lead elsewhere is refused', async (t) => {
  const tools = collectorTools({ folder: await scratchFolder(t), clock: realClock, settings, keeps: true });
  for (const key of ['', '../a', 'a/b', 'a.b', 'x'.repeat(101)])
    await t.throwsAsync(tools.keep(key, 1), { instanceOf: RangeError });
});

test('where one only looks, what is kept is there for as long as the look lasts: the answer is that of a real run', async (t) => {
  const folder = join(await scratchFolder(t), 'kept');
  const tools = collectorTools({ folder, clock: realClock, settings, keeps: false });
  await tools.keep('a', { users: ['ann'], left: undefined });
  t.deepEqual((await tools.recall('a'))?.value, { users: ['ann'] });
  await t.throwsAsync(stat(folder), { code: 'ENOENT' });
});
