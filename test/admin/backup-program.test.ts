import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { generateKey } from 'openpgp';
import { gpgHome, hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import { penguindome, succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';

const run = promisify(execFile);

test('a server that was lost comes back whole on a bare machine', async (t) => {
  const folder = await scratchFolder(t);
  const [site, lost, file, to, key] = ['site', 'lost', 'b.gpg', 'to.asc', 'key.asc'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string, string];
  const keys = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'operator' }] });
  await writeFile(to, keys.publicKey);
  await writeFile(key, keys.privateKey);
  await succeed(['setup', '--yes', '--dir', site]);
  const config = ['--config', join(site, 'server.yml')];
  await succeed([...config, 'enrollment', 'token']);
  const set = [...config, 'passwords', 'set', 'fred', '--password-file', '-'];
  t.is((await penguindome(set, { input: 'correct horse\n' })).status, 0);
  await succeed([...config, 'backup', '--with-keys', '--to', to, file]);
  await rename(site, lost);

  const said = JSON.parse(await succeed([...config, '--json', 'restore', '--yes', '--key', key, '--with-keys', file]));
  t.is(said.documents, 1);
  t.is(said.keys, 9);
  for (const part of ['.', 'pki', 'keys', 'state/tls']) {
    const names = await readdir(join(lost, part), { withFileTypes: true });
    // the operator log is each machine's own, and so is its head
    for (const name of names.filter((each) => each.isFile() && each.name !== 'operator-log.head')) {
      const path = join(part, name.name);
      t.deepEqual(await readFile(join(site, path)), await readFile(join(lost, path)), path);
      t.is((await stat(join(site, path))).mode, (await stat(join(lost, path))).mode, path);
    }
  }
  t.is((await penguindome([...config, 'hosts', 'list'])).status, 0);
  for (const part of ['pki', 'keys', 'state', 'state/tls', 'store']) {
    t.is((await stat(join(site, part))).mode, (await stat(join(lost, part))).mode, part);
  }
  await t.notThrowsAsync(run(process.execPath, ['build/penguindome-server', ...config, '--check-config']));
});

test('a restore that is interrupted says what became of the store', async (t) => {
  const folder = await scratchFolder(t);
  await succeed(['setup', '--yes', '--dir', folder]);
  const config = ['--config', join(folder, 'server.yml')];
  const file = join(folder, 'b.gz');
  await succeed([...config, 'backup', file]);
  const child = spawn(process.execPath, ['build/penguindome', ...config, 'restore', '--yes', file]);
  let said = '';
  child.stderr.on('data', (chunk) => {
    if (said === '') child.kill('SIGTERM');
    said += chunk;
  });
  const [status] = await once(child, 'close');
  t.is(status, 130, said);
  t.regex(said, /\npenguindome: cannot restore: it was interrupted; the store is as it was\n$/);
  t.is((await penguindome([...config, 'backup', file])).status, 0, 'nor is it under maintenance');
});

test('a backup goes through a pipe whole, and nothing else with it', async (t) => {
  const folder = await scratchFolder(t);
  await succeed(['setup', '--yes', '--dir', folder]);
  const { stdout, stderr } = await run(
    process.execPath,
    ['build/penguindome', '--config', join(folder, 'server.yml'), '--json', 'backup', '-'],
    { encoding: 'buffer' },
  );
  const lines = gunzipSync(stdout).toString().trimEnd().split('\n');
  t.is(JSON.parse(lines[0] ?? '').format, 'penguindome-backup');
  t.is(JSON.parse(lines.at(-1) ?? '').entries, lines.length - 2);
  t.regex(stderr.toString(), /\d+ documents, \d+ bytes/);
});

whenPresent(hasGpg, 'reading an encrypted backup with GnuPG: no gpg')(
  'an encrypted backup can be read with gpg too',
  async (t) => {
    const folder = await scratchFolder(t);
    const gpg = await gpgHome(t);
    await gpg(['--quick-gen-key', 'operator', 'rsa3072', 'encrypt,sign', 'never']);
    const [to, file] = [join(folder, 'to.asc'), join(folder, 'b.gpg')];
    await writeFile(to, await gpg(['--armor', '--export', 'operator']));
    await succeed(['setup', '--yes', '--dir', folder]);
    await succeed(['--config', join(folder, 'server.yml'), 'backup', '--with-keys', '--to', to, file]);
    await gpg(['--output', join(folder, 'b.gz'), '--decrypt', file]);
    t.regex(gunzipSync(await readFile(join(folder, 'b.gz'))).toString(), /"file":"pki\/ca\.key"/);
  },
);
