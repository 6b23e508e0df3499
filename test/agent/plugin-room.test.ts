import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { openRoom } from '../../src/agent/plugin-room.ts';
import { scratchFolder } from '../support/scratch.ts';

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test('a plugin finds in its room what it left there, and nobody else can look in', async (t) => {
  const folder = join(await scratchFolder(t), 'plugins');
  const before = await openRoom(folder, 'mine', true);
  await writeFile(join(before.state, 'note'), 'kept');
  await chmod(before.state, 0o755);
  await before.leave();
  const after = await openRoom(folder, 'mine', true);
  t.deepEqual(after.state, join(folder, 'mine/state'));
  t.is(await readFile(join(after.state, 'note'), 'utf8'), 'kept');
  for (const path of [folder, dirname(after.state), after.state, after.cache]) t.is(await modeOf(path), '700', path);
});

test('who only looks gets a copy, which is gone afterwards with all that was written to it', async (t) => {
  const folder = join(await scratchFolder(t), 'plugins');
  const { state } = await openRoom(folder, 'mine', true);
  await mkdir(join(state, 'deep'));
  await writeFile(join(state, 'deep/note'), 'kept');
  await symlink('deep/note', join(state, 'link'));
  execFileSync('/usr/bin/mkfifo', [join(state, 'fifo')]);
  const copy = await openRoom(folder, 'mine', false);
  t.is(await readFile(join(copy.state, 'link'), 'utf8'), 'kept');
  t.deepEqual(await readdir(copy.state), ['deep', 'link']);
  await writeFile(join(copy.state, 'deep/note'), 'changed');
  await writeFile(join(copy.cache, 'seen.json'), '{}');
  await copy.leave();
  t.is(await readFile(join(state, 'deep/note'), 'utf8'), 'kept');
  await t.throwsAsync(stat(copy.state), { code: 'ENOENT' });
});

test('who only looks before there is a room makes none', async (t) => {
  const folder = join(await scratchFolder(t), 'plugins');
  const copy = await openRoom(folder, 'mine', false);
  t.deepEqual([await readdir(copy.state), await modeOf(copy.state)], [[], '700']);
  await copy.leave();
  await t.throwsAsync(stat(folder), { code: 'ENOENT' });
});

test('a room that is a link elsewhere is not entered', async (t) => {
  const scratch = await scratchFolder(t);
  await mkdir(join(scratch, 'plugins'));
  await mkdir(join(scratch, 'elsewhere'));
  await symlink('../elsewhere', join(scratch, 'plugins/mine'));
  await t.throwsAsync(openRoom(join(scratch, 'plugins'), 'mine', true), { message: /it is no folder/ });
  t.deepEqual(await readdir(join(scratch, 'elsewhere')), []);
});
