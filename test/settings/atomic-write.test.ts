import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { writeAtomically } from '../../src/settings/atomic-write.ts';
import { scratchFolder } from '../support/scratch.ts';

test('a file is replaced whole, with exactly the mode asked for', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'a.key');
  await writeFile(file, 'old', { mode: 0o644 });
  const { ino } = await stat(file);
  await writeAtomically(file, 'new', { mode: 0o600 });
  const stats = await stat(file);
  t.is(await readFile(file, 'utf8'), 'new');
  t.is(stats.mode & 0o777, 0o600);
  t.not(stats.ino, ino, 'readers of the old file keep it');
  await writeAtomically(file, new Uint8Array([1, 2]), { mode: 0o664 });
  t.is((await stat(file)).mode & 0o777, 0o664, 'past the umask');
  t.deepEqual(await readdir(folder), ['a.key']);
});

test('a write that fails leaves the old file and nothing else', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'taken');
  await mkdir(join(file, 'full'), { recursive: true });
  await t.throwsAsync(writeAtomically(file, 'x', { mode: 0o600 }), { code: 'EISDIR' });
  t.deepEqual(await readdir(folder), ['taken']);
  await t.throwsAsync(writeAtomically(join(folder, 'none/x'), 'x', { mode: 0o600 }), { code: 'ENOENT' });
});

test('a file gets the owner asked for, where we may give it', async (t) => {
  const folder = await scratchFolder(t);
  await chmod(folder, 0o777);
  const root = process.getuid?.() === 0;
  const owner = root ? { uid: 12345, gid: 54321 } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  await writeAtomically(join(folder, 'x'), 'x', { mode: 0o640, owner });
  const { uid, gid, mode } = await stat(join(folder, 'x'));
  t.deepEqual({ uid, gid, mode: mode & 0o777 }, { ...owner, mode: 0o640 });
});
