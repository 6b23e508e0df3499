import { execFile } from 'node:child_process';
import { link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { listHostile, readHostile } from '../../src/agent/read-hostile.ts';
import { writeAtomically } from '../../src/agent/write-atomically.ts';
import { scratchFolder } from '../support/scratch.ts';
import { newMachine } from './support/machine.ts';

const run = promisify(execFile);

test('a file is replaced whole, with the mode that was asked for', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'file');
  const mask = process.umask(0o077);
  t.teardown(() => process.umask(mask));
  await writeAtomically(file, 'first, and longer', 0o640);
  await writeAtomically(file, 'second', 0o640);
  t.is(await readFile(file, 'utf8'), 'second');
  t.is((await stat(file)).mode & 0o777, 0o640);
  t.deepEqual(await readdir(folder), ['file']);
});

test('a link that waits under the temporary name leads nowhere', async (t) => {
  const folder = await scratchFolder(t);
  const victim = join(folder, 'victim');
  await writeFile(victim, 'precious');
  await symlink(victim, join(folder, '.tmp-a'));
  await link(victim, join(folder, '.tmp-b'));
  await writeAtomically(join(folder, 'a'), 'new', 0o600);
  await writeAtomically(join(folder, 'b'), 'new', 0o600);
  t.is(await readFile(victim, 'utf8'), 'precious');
});

test('what cannot be written leaves the old file and nothing else', async (t) => {
  const folder = await scratchFolder(t);
  await mkdir(join(folder, 'taken'));
  await writeFile(join(folder, 'taken', 'full'), '');
  const error = await t.throwsAsync(writeAtomically(join(folder, 'taken'), 'new', 0o600));
  t.regex(error.message, /^cannot write .*taken: /);
  t.deepEqual(await readdir(folder), ['taken']);
});

test('a disk that takes no more costs the new report, not those that wait', async (t) => {
  const machine = await newMachine(t);
  await machine.settings('hostname: testhost\ncollectors: {disabled: [os_updates, hd_encryption, firewall, sshd]}\n');
  const agent = [process.execPath, resolve('build/penguindome-agent'), '--state', machine.state, 'collect'];
  await run('/bin/sh', ['-c', '"$@"', '_', ...agent]);
  const before = await machine.spooled();
  await machine.plugin('big', "#!/bin/sh\nprintf '\"'; head -c 300000 /dev/zero | tr '\\0' x; printf '\"'\n");
  // Past this size every write fails, as on a full disk.
  const full = await t.throwsAsync(run('/bin/sh', ['-c', 'ulimit -f 64; exec "$@"', '_', ...agent]));
  t.regex(String(full), /cannot write/);
  t.deepEqual(await machine.spooled(), before);
  const { root, reports, bodies } = machine.places.spool;
  for (const folder of [root, reports, bodies]) {
    t.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('.tmp')),
      [],
    );
  }
  await run('/bin/sh', ['-c', '"$@"', '_', ...agent]);
  t.is((await machine.spooled()).length, 2);
});

test('nothing but a regular file of bounded size is read, and nothing hangs', async (t) => {
  const folder = await scratchFolder(t);
  await writeFile(join(folder, 'file'), 'content');
  await symlink('file', join(folder, 'link'));
  await run('/usr/bin/mkfifo', [join(folder, 'fifo')]);
  t.is((await readHostile(join(folder, 'file'), 7))?.toString(), 'content');
  t.is(await readHostile(join(folder, 'missing'), 7), undefined);
  await t.throwsAsync(readHostile(join(folder, 'file'), 6), { message: /more than 6 bytes/ });
  await t.throwsAsync(readHostile(join(folder, 'link'), 7), { message: /symbolic link/ });
  await t.throwsAsync(readHostile(join(folder, 'fifo'), 7), { message: /no regular file/ });
  await t.throwsAsync(readHostile(folder, 7), { message: /no regular file/ });
  await t.throwsAsync(readHostile('/dev/zero', 7), { message: /no regular file/ });
});

test('a flood of files costs no more than its cap, and a link to a folder is no folder', async (t) => {
  const folder = await scratchFolder(t);
  for (let n = 0; n < 20; n++) await writeFile(join(folder, String(n)), '');
  t.is((await listHostile(folder, 5)).length, 5);
  await symlink(folder, join(folder, 'loop'));
  t.deepEqual(await listHostile(join(folder, 'loop'), 5), []);
});
