import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, symlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { readForeign } from '../../src/agent/read-foreign.ts';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';

const ALICE = 54_321;
const isRoot = process.getuid?.() === 0;
const asRoot = whenPresent(isRoot, 'root');
const run = promisify(execFile);

test('a file is read, up to a limit, through links too', async (t) => {
  const folder = await scratchFolder(t);
  await writeFile(`${folder}/file`, 'seven +');
  await symlink('file', `${folder}/link`);
  t.is(String(await readForeign(`${folder}/link`, 7)), 'seven +');
  t.is(String(await readForeign(`${folder}/file`, 5, { head: true })), 'seven');
  await t.throwsAsync(readForeign(`${folder}/file`, 6), { message: /more than 6 bytes/ });
  t.is(await readForeign(`${folder}/missing`, 7), undefined);
  t.is(await readForeign(`${folder}/file/below`, 7), undefined);
  t.regex(String(await readForeign('/proc/self/status', 64 * 1024)), /^Name:/);
});

test('a FIFO is not opened: who waits to write into it goes on waiting', async (t) => {
  const folder = await scratchFolder(t);
  const { fifo, hasWritten } = await waitingWriter(t, folder);
  await symlink('fifo', `${folder}/link`);
  for (const of of [undefined, process.getuid?.()]) {
    await t.throwsAsync(readForeign(fifo, 7, { of }), { message: /no regular file/ });
    await t.throwsAsync(readForeign(`${folder}/link`, 7, { of }), { message: /no regular file/ });
  }
  await sleep(300);
  t.false(hasWritten());
});

asRoot('a device is not opened: the one that nothing drives would say so', async (t) => {
  const folder = await scratchFolder(t);
  for (const kind of ['c', 'b']) {
    await run('/usr/bin/mknod', [`${folder}/${kind}`, kind, '240', '0']);
    const error = await t.throwsAsync(readForeign(`${folder}/${kind}`, 7), { message: /no regular file/ });
    t.is(error.cause, undefined);
  }
});

test('folders, sockets and devices are no files', async (t) => {
  const paths = ['/', '/dev/zero', '/dev/null', '/dev/tty'];
  for (const path of paths) await t.throwsAsync(readForeign(path, 7), { message: /no regular file/ });
});

asRoot("of what a user chose only the user's and root's for all are read", async (t) => {
  const folder = await scratchFolder(t);
  const file = async (name: string, owner: number, mode: number) => {
    await writeFile(`${folder}/${name}`, name);
    await chown(`${folder}/${name}`, owner, owner);
    await chmod(`${folder}/${name}`, mode);
    return `${folder}/${name}`;
  };
  const isRead = async (path: string) => String(await readForeign(path, 64, { of: ALICE })) !== '';
  t.true(await isRead(await file('own', ALICE, 0o600)));
  t.true(await isRead(await file('everybodys', 0, 0o644)));
  for (const path of [await file('bobs', ALICE + 1, 0o644), await file('roots', 0, 0o640), '/etc/shadow']) {
    await symlink(path, `${folder}/link`);
    await t.throwsAsync(readForeign(`${folder}/link`, 1e6, { of: ALICE }), { message: /neither the user's/ });
    await run('/usr/bin/rm', [`${folder}/link`]);
  }
});

test("of what a user chose nothing of the kernel's own is read: reading may be a deed there", async (t) => {
  for (const path of ['/proc/version', '/proc/self/status', '/sys/kernel/uevent_seqnum']) {
    if (!existsSync(path)) continue;
    await t.throwsAsync(readForeign(path, 1e6, { of: process.getuid?.() }), { message: /no file on a disk/ });
  }
});

asRoot('a file that may not be read is named as it was asked for, the same each time', async (t) => {
  process.seteuid?.(ALICE);
  try {
    await t.throwsAsync(readForeign('/etc/shadow', 1e6), {
      message: 'cannot read /etc/shadow: EACCES: permission denied',
    });
  } finally {
    process.seteuid?.(0);
  }
});

/** Somebody who has opened a FIFO to write, which ends when somebody opens it to read. */
async function waitingWriter(t: ExecutionContext, folder: string) {
  const fifo = `${folder}/fifo`;
  await run('/usr/bin/mkfifo', [fifo]);
  const writer = spawn('/bin/sh', ['-c', 'echo ready; exec 3> "$0"', fifo], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => writer.kill('SIGKILL'));
  await new Promise((resolve) => writer.stdout.once('data', resolve));
  await sleep(200);
  return { fifo, hasWritten: () => writer.exitCode !== null };
}
