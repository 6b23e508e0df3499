import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { describeKeys } from '../../src/crypto/openpgp.ts';
import { loadServerSettings } from '../../src/settings/load-server-settings.ts';
import { gpgHome, hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import { originalFolder } from '../support/original.ts';
import { penguindome, succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';

const withGpg = whenPresent(hasGpg, "an original installation's keyring: no /usr/bin/gpg");
const FIXTURES = 'test/fixtures/penguindome-v1';
const SERVER = join(FIXTURES, 'server-secret.asc');
const CLIENT = join(FIXTURES, 'client-public.asc');

interface Site {
  dir: string;
  migrate(...args: string[]): ReturnType<typeof penguindome>;
  key(name: string): Promise<string>;
}

async function site(t: ExecutionContext): Promise<Site> {
  const dir = await scratchFolder(t);
  await succeed(['setup', '--yes', '--dir', dir]);
  return {
    dir,
    migrate: (...args) => penguindome(['--config', join(dir, 'server.yml'), 'migrate', ...args]),
    key: (name) => readFile(join(dir, 'keys', name), 'utf8'),
  };
}

const fingerprint = async (armored: string) =>
  (await describeKeys(armored)).map((key) => `${key.kind} ${key.fingerprint}`);
const ORIGINAL_SERVER = ['secret ED427C56241A4D90C5BD7FB8E1A102523A8DDEA2'];
const ORIGINAL_CLIENT = ['public 3537D11D3941BF12ADE5E48315C1304966B47B97'];

async function assertMigrated(t: ExecutionContext, { dir, key }: Site): Promise<void> {
  t.deepEqual(await fingerprint(await key('v1-server.asc')), ORIGINAL_SERVER);
  t.deepEqual(await fingerprint(await key('v1-client.asc')), ORIGINAL_CLIENT);
  t.is((await stat(join(dir, 'keys/v1-server.asc'))).mode & 0o777, 0o600);
  const { v1 } = await loadServerSettings(join(dir, 'server.yml'));
  t.like(v1, { enabled: true, client_key: join(dir, 'keys/v1-client.asc') });
}

test("the original's keys are taken over and v1 is switched on; our own order key stays", async (t) => {
  const made = await site(t);
  const order = await made.key('order.asc');
  const { status, stderr } = await made.migrate('--server-key', SERVER, '--client-key', CLIENT);
  t.is(status, 0, stderr);
  await assertMigrated(t, made);
  t.is(await made.key('order.asc'), order);
  const text = await readFile(join(made.dir, 'server.yml'), 'utf8');
  t.regex(text, /^v1:\n {2}enabled: true\n/m);
  t.regex(text, /# Protocol v1/, 'comments stay');
});

test('doing it again changes nothing', async (t) => {
  const made = await site(t);
  const flags = ['--server-key', SERVER, '--client-key', CLIENT, '--json'];
  t.true(JSON.parse((await made.migrate(...flags)).stdout).changed);
  const before = [await made.key('v1-server.asc'), await readFile(join(made.dir, 'server.yml'), 'utf8')];
  const again = await made.migrate(...flags);
  t.false(JSON.parse(again.stdout).changed);
  t.deepEqual([await made.key('v1-server.asc'), await readFile(join(made.dir, 'server.yml'), 'utf8')], before);
});

test("of the clients' secret key only the public half is kept", async (t) => {
  const made = await site(t);
  t.is((await made.migrate('--server-key', SERVER, '--client-key', join(FIXTURES, 'client-secret.asc'))).status, 0);
  await assertMigrated(t, made);
});

test('what cannot be used is refused by its flag, and nothing is changed', async (t) => {
  const made = await site(t);
  const settings = await readFile(join(made.dir, 'server.yml'), 'utf8');
  const cases: [string[], RegExp][] = [
    [
      ['--server-key', CLIENT, '--client-key', CLIENT],
      /expected one secret key without a passphrase, found a key that is public/,
    ],
    [['--server-key', '/none', '--client-key', CLIENT], /cannot use --server-key \/none: there is no such file/],
    [
      ['--server-key', SERVER, '--client-key', 'package.json'],
      /cannot use --client-key package\.json: cannot find an armored OpenPGP key/,
    ],
    [['--server-key', SERVER], /expected --server-key and --client-key, or --from/],
    [['--from', made.dir, '--client-key', CLIENT], /cannot use --from together/],
  ];
  for (const [flags, said] of cases) {
    const { status, stderr } = await made.migrate(...flags);
    t.is(status, 2, stderr);
    t.regex(stderr, said);
  }
  t.is((await made.migrate('--from', made.dir)).status, 1, 'a folder without a keyring');
  t.is(await readFile(join(made.dir, 'server.yml'), 'utf8'), settings);
  t.false((await readdir(join(made.dir, 'keys'))).some((name) => name.startsWith('v1-')));
});

withGpg('keys of another installation are not replaced', async (t) => {
  const made = await site(t);
  await made.migrate('--server-key', SERVER, '--client-key', CLIENT);
  const gpg = await gpgHome(t);
  await gpg(['--quick-generate-key', 'penguindome-server', 'ed25519', 'default', '0']);
  const other = join(made.dir, 'other.asc');
  await writeFile(other, await gpg(['--armor', '--export-secret-keys']));
  const { status, stderr } = await made.migrate('--server-key', other, '--client-key', CLIENT);
  t.is(status, 1);
  t.regex(stderr, /cannot replace .*v1-server\.asc: it holds ED427C56/);
  await assertMigrated(t, made);
});

withGpg('of a folder without settings only the keys are taken over, and it is left as it is', async (t) => {
  const made = await site(t);
  const original = await originalFolder(t, { server: '' });
  await rm(join(original, 'server/settings.yml'));
  const before = await readdir(original, { recursive: true });
  const { status, stdout, stderr } = await made.migrate('--from', original, '--json');
  t.is(status, 0, stderr);
  await assertMigrated(t, made);
  t.deepEqual(await readdir(original, { recursive: true }), before);
  t.regex(JSON.parse(stdout).remarks.join(), /there is no .*settings\.yml: only the keys/);
});

withGpg('a keyring without the keys says which one is missing', async (t) => {
  const made = await site(t);
  const gpg = await gpgHome(t);
  await gpg(['--import', CLIENT]);
  const original = await scratchFolder(t);
  await mkdir(join(original, 'server'));
  await cp(gpg.home, join(original, 'server/keyring'), {
    recursive: true,
    filter: (path) => !/\/S\.[^/]*$/.test(path),
  });
  const { status, stderr } = await made.migrate('--from', original);
  t.is(status, 1, stderr);
  t.regex(stderr, /^penguindome: cannot find the secret key penguindome-server in .*keyring\n$/);
});
