import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { systemRandom } from '../../src/bin/world.ts';
import { keyFits, makeAuthority, makeServerCertificate, readCertificate } from '../../src/crypto/certificates.ts';
import { describeKeys, fingerprintOf } from '../../src/crypto/openpgp.ts';
import { loadServerSettings } from '../../src/settings/load-server-settings.ts';
import { loadServerSecrets } from '../../src/settings/server-secrets.ts';
import { whenPresent } from '../support/needs.ts';
import { mongod, ownMongod } from '../support/own-mongod.ts';
import { penguindome, succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';

const FILES = [
  'keys/answer.key',
  'keys/order-public.asc',
  'keys/order.asc',
  'pki/ca.crt',
  'pki/ca.key',
  'server.yml',
  'state/tls/server.crt',
  'state/tls/server.key',
  'store/penguindome.db',
];

/** What every command adds to (operator-log.test.ts). */
const LOG = ['pki/operator-log.head', 'state/operator.log'];

/** All of them but the operator log. */
async function filesBelow(dir: string): Promise<string[]> {
  const all = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  return all
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name).slice(dir.length + 1))
    .filter((file) => !LOG.includes(file))
    .sort();
}

/** Path → digest; the store's own file may differ in bytes that say nothing. */
async function digests(dir: string): Promise<Record<string, string>> {
  const files = (await filesBelow(dir)).filter((file) => !file.startsWith('store/'));
  const entries = files.map(async (file) => {
    const content = await readFile(join(dir, file));
    return [file, createHash('sha256').update(content).digest('hex')];
  });
  return Object.fromEntries(await Promise.all(entries));
}

const world = { now: new Date(), random: systemRandom };

async function certificates() {
  const authority = await makeAuthority(world, 'a database');
  return { authority, server: await makeServerCertificate(world, authority, ['127.0.0.1']) };
}

async function anAuthority(folder: string): Promise<string> {
  const file = join(folder, 'ca.crt');
  await writeFile(file, (await makeAuthority(world, 'a database')).certificate);
  return file;
}

const withMongod = whenPresent(mongod !== undefined, 'setup on a mongod with TLS: none could be had');

const read = (dir: string, file: string) => readFile(join(dir, file), 'utf8');

test('setup --yes makes all that a server needs', async (t) => {
  const dir = join(await scratchFolder(t), 'site');
  const answer = JSON.parse(
    await succeed(['setup', '--yes', '--dir', dir, '--host-name', 'penguins.example', '--json']),
  );
  t.like(answer, { changed: true, settings: `${dir}/server.yml`, public_url: 'https://penguins.example:8443' });
  t.deepEqual(await filesBelow(dir), FILES);
  const settings = await loadServerSettings(join(dir, 'server.yml'));
  t.is(settings.store.kind, 'embedded');
  t.deepEqual(settings.checks, [`${dir}/checks.d`]);
  t.true((await stat(join(dir, 'checks.d'))).isDirectory(), 'the folder of the site is there, for its own checks');
  t.false(settings.v1.enabled);
  t.regex((await loadServerSecrets(settings)).answerKeys.newest.key.id, /^[A-Za-z0-9_-]{43}$/);
  t.true(keyFits(await read(dir, 'pki/ca.crt'), await read(dir, 'pki/ca.key')));
  t.true(keyFits(await read(dir, 'state/tls/server.crt'), await read(dir, 'state/tls/server.key')));
  t.true(
    readCertificate(await read(dir, 'state/tls/server.crt')).names.startsWith('DNS:penguins.example, DNS:localhost'),
  );
  const [order] = await describeKeys(await read(dir, 'keys/order.asc'));
  t.is(order?.kind, 'secret');
  t.is(await fingerprintOf(await read(dir, 'keys/order-public.asc')), order?.fingerprint ?? '');
  t.deepEqual(
    (await describeKeys(await read(dir, 'keys/order-public.asc'))).map(({ kind }) => kind),
    ['public'],
  );
});

test('the certificate holds the name in the public URL, whatever else this machine is called', async (t) => {
  const folder = await scratchFolder(t);
  const cases: [string[], RegExp][] = [
    [['--public-url', 'https://dome.example:18443'], /^DNS:dome\.example, DNS:localhost/],
    [['--public-url', 'https://[2001:db8::7]:8443'], /^IP Address:2001:DB8:0:0:0:0:0:7, DNS:localhost/],
    [['--public-url', 'https://b.example', '--host-name', 'a.example'], /^DNS:a\.example, DNS:b\.example, DNS:local/],
  ];
  for (const [index, [flags, names]] of cases.entries()) {
    const dir = join(folder, String(index));
    await succeed(['setup', '--yes', '--dir', dir, ...flags]);
    t.regex(readCertificate(await read(dir, 'state/tls/server.crt')).names, names);
  }
});

test('key files are for nobody else, nor are their folders', async (t) => {
  const dir = await scratchFolder(t);
  await succeed(['setup', '--yes', '--dir', dir]);
  const mode = async (path: string) => ((await stat(join(dir, path))).mode & 0o777).toString(8);
  for (const file of FILES.filter((file) => file.endsWith('.key') || file === 'keys/order.asc'))
    t.is(await mode(file), '600', file);
  t.deepEqual(await Promise.all(['keys', 'pki', 'state', 'state/tls', 'store'].map(mode)), [
    ...['700', '750', '750', '700', '700'],
  ]);
});

test('a second run changes nothing, whatever its flags, and says so', async (t) => {
  const dir = await scratchFolder(t);
  await succeed(['setup', '--yes', '--dir', dir]);
  const before = await digests(dir);
  const again = await penguindome(['setup', '--dir', dir, '--port', '9999']);
  t.is(again.status, 0);
  t.regex(again.stdout, /Everything was there: nothing was changed\./);
  t.regex(again.stderr, /flags do not change them/);
  t.is(JSON.parse(await succeed(['setup', '--yes', '--dir', dir, '--json'])).changed, false);
  t.deepEqual(await digests(dir), before);
});

test('a run that is killed at any point is completed by the next one', async (t) => {
  const folder = await scratchFolder(t);
  const complete = FILES.length;
  const seen = new Set<number>();
  for (let wanted = 1; wanted < complete; wanted++) {
    const dir = join(folder, String(wanted));
    const child = spawn(process.execPath, ['build/penguindome', 'setup', '--yes', '--dir', dir], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('close', resolve));
    // temporary files count too: so that it is also killed between a write and its rename
    while (child.exitCode === null && (await filesBelow(dir)).length < wanted) await sleep(1);
    child.kill('SIGKILL');
    await ended;
    const left = await digests(dir);
    seen.add(Object.keys(left).length);
    await succeed(['setup', '--yes', '--dir', dir]);
    t.deepEqual(await filesBelow(dir), FILES, `killed at ${wanted} files`);
    if (left['server.yml'] !== undefined) t.is((await digests(dir))['server.yml'], left['server.yml']);
    for (const name of ['pki/ca', 'state/tls/server']) {
      t.true(keyFits(await read(dir, `${name}.crt`), await read(dir, `${name}.key`)), `${name} at ${wanted}`);
    }
    t.is(
      await fingerprintOf(await read(dir, 'keys/order.asc')),
      await fingerprintOf(await read(dir, 'keys/order-public.asc')),
    );
  }
  t.true(seen.size >= 3, `killed at ${[...seen].join()} files`);
});

test('what is missing is made again from what is there, and nothing else is touched', async (t) => {
  const dir = await scratchFolder(t);
  await succeed(['setup', '--yes', '--dir', dir]);
  const before = await digests(dir);
  for (const file of ['keys/order-public.asc', 'state/tls/server.key']) {
    await rm(join(dir, file));
    t.true(JSON.parse(await succeed(['setup', '--yes', '--dir', dir, '--json'])).changed, file);
  }
  const after = await digests(dir);
  t.is(after['keys/order-public.asc'], before['keys/order-public.asc']);
  for (const file of ['pki/ca.crt', 'pki/ca.key', 'keys/order.asc', 'keys/answer.key', 'server.yml'])
    t.is(after[file], before[file], file);
  t.true(keyFits(await read(dir, 'state/tls/server.crt'), await read(dir, 'state/tls/server.key')));
  await rm(join(dir, 'pki/ca.key'));
  t.is(
    JSON.parse(await succeed(['setup', '--yes', '--dir', dir, '--json'])).changed,
    false,
    'a CA key may be kept elsewhere',
  );
  await rm(join(dir, 'state/tls/server.key'));
  t.like(await penguindome(['setup', '--yes', '--dir', dir]), { status: 3 });
});

test('every answer has its flag', async (t) => {
  const folder = await scratchFolder(t);
  const dir = join(folder, 'site');
  await writeFile(join(folder, 'pw'), 'hunter2', { mode: 0o600 });
  await penguindome([
    ...['setup', '--yes', '--dir', dir, '--host-name', 'a.example', '--host-name', '192.0.2.7', '--port', '443'],
    ...[
      '--local-port',
      '5555',
      '--no-tls',
      '--store',
      'mongo',
      '--mongo-host',
      '127.0.0.1:1',
      '--mongo-host',
      '127.0.0.1:2',
    ],
    ...[
      '--mongo-replica-set',
      'rs9',
      '--mongo-database',
      'dome',
      '--mongo-user',
      'pd',
      '--mongo-password-file',
      join(folder, 'pw'),
    ],
    ...['--mongo-ca', await anAuthority(folder)],
    ...['--public-url', 'https://proxy.example', '--no-audit', '--collect-interval', '20m', '--submit-interval', '2m'],
    ...['--log-level', 'debug', '--v1', 'test/fixtures/penguindome-v1/client-public.asc'],
  ]);
  const settings = await loadServerSettings(join(dir, 'server.yml'));
  t.like(settings, {
    public_url: 'https://proxy.example',
    local_port: 5555,
    store: {
      kind: 'mongo',
      hosts: ['127.0.0.1:1', '127.0.0.1:2'],
      replica_set: 'rs9',
      database: 'dome',
      user: 'pd',
      password_file: join(folder, 'pw'),
      tls: true,
      ca: join(folder, 'ca.crt'),
    },
    log: { level: 'debug' },
    agents: { collect_interval: 1_200_000, submit_interval: 120_000 },
    v1: { enabled: true, client_key: join(dir, 'keys/v1-client.asc') },
  });
  t.like(settings.ports[0], { port: 443, tls: false });
  t.false(settings.audit.enabled);
  t.is(await read(dir, 'keys/v1-client.asc'), await readFile('test/fixtures/penguindome-v1/client-public.asc', 'utf8'));
  t.false(
    (await filesBelow(dir)).some((file) => file.startsWith('pki/')),
    'without TLS there is no CA to make',
  );
});

test('a store that cannot be reached leaves everything else done, and says how to go on', async (t) => {
  const dir = await scratchFolder(t);
  const { status, stderr } = await penguindome([
    ...['setup', '--yes', '--dir', dir, '--store', 'mongo', '--mongo-host', '127.0.0.1:1'],
  ]);
  t.is(status, 75, stderr);
  t.regex(stderr, /^penguindome: cannot [^\n]*run penguindome setup again[^\n]*\n$/);
  t.deepEqual(
    await filesBelow(dir),
    FILES.filter((file) => !file.startsWith('store/')),
  );
  const again = await penguindome(['setup', '--yes', '--dir', dir, '--mongo-host', '127.0.0.1:2']);
  t.is(again.status, 75);
  t.regex(
    again.stderr,
    /^The settings were there: flags do not change them\./,
    'nobody waits for the other host in vain',
  );
});

const mongo = process.env['PENGUINDOME_TEST_MONGO_STANDALONE'];
whenPresent(mongo !== undefined, 'setup on a real mongod: none could be had')(
  'setup makes the store in a real MongoDB too, and a second run changes nothing',
  async (t) => {
    const dir = await scratchFolder(t);
    const flags = ['--mongo-host', new URL(mongo ?? '').host, '--mongo-database', `setup_${process.pid}`];
    const first = JSON.parse(await succeed(['setup', '--yes', '--dir', dir, ...flags, '--json']));
    t.true(first.changed);
    t.is(await succeed(['--config', join(dir, 'server.yml'), 'hosts', 'list', '--json']), '[]\n');
    const before = await digests(dir);
    t.false(JSON.parse(await succeed(['setup', '--yes', '--dir', dir, '--json'])).changed);
    t.deepEqual(await digests(dir), before);
  },
);

withMongod('setup reaches a MongoDB by TLS, and not one whose certificate another CA signed', async (t) => {
  const folder = await scratchFolder(t);
  const { authority, server } = await certificates();
  await writeFile(join(folder, 'ca.crt'), authority.certificate);
  await writeFile(join(folder, 'mongod.pem'), `${server.certificate}${server.key}`, { mode: 0o600 });
  // so that the test itself need not say who signed it
  const { settings } = await ownMongod(
    t,
    '--tlsMode',
    'preferTLS',
    '--tlsCertificateKeyFile',
    join(folder, 'mongod.pem'),
  );
  const setup = (dir: string, ca: string) =>
    penguindome(['setup', '--yes', '--dir', dir, '--mongo-host', settings.hosts.join(), '--mongo-ca', ca]);
  const { status, stderr } = await setup(join(folder, 'site'), join(folder, 'ca.crt'));
  t.is(status, 0, stderr);
  await writeFile(join(folder, 'other.crt'), (await certificates()).authority.certificate);
  const other = await setup(join(folder, 'other'), join(folder, 'other.crt'));
  t.is(other.status, 75, other.stderr);
  t.regex(other.stderr, /certificate/);
  const system = await penguindome([
    ...['setup', '--yes', '--dir', join(folder, 'system'), '--mongo-host', settings.hosts.join(), '--mongo-tls'],
  ]);
  t.is(system.status, 75, 'nobody that the system trusts signed it');
  t.like((await loadServerSettings(join(folder, 'system/server.yml'))).store, { tls: true, ca: undefined });
});

test('a CA of MongoDB that is none, or has a key beside it, is refused before anything is written', async (t) => {
  const folder = await scratchFolder(t);
  const { authority } = await certificates();
  const dir = join(folder, 'site');
  const file = join(folder, 'ca.crt');
  for (const text of ['', 'no PEM', authority.key, `${authority.certificate}${authority.key}`]) {
    await writeFile(file, text);
    const { status, stderr } = await penguindome([
      ...['setup', '--yes', '--dir', dir, '--store', 'mongo', '--mongo-ca', file],
    ]);
    t.is(status, 2);
    t.regex(stderr, /cannot use --mongo-ca .*ca\.crt: expected certificates in PEM, and no key beside them/);
  }
  t.deepEqual(await filesBelow(dir), []);
});

test('a certificate of your own is looked into before anything is written', async (t) => {
  const folder = await scratchFolder(t);
  await succeed(['setup', '--yes', '--dir', join(folder, 'a')]);
  const dir = join(folder, 'b');
  const own = ['--certificate', join(folder, 'a/state/tls/server.crt'), '--certificate-key'];
  const wrong = await penguindome(['setup', '--yes', '--dir', dir, ...own, join(folder, 'a/pki/ca.key')]);
  t.is(wrong.status, 2);
  t.regex(wrong.stderr, /cannot use --certificate-key .*ca\.key: it is not the key of/);
  t.deepEqual(await filesBelow(dir), []);
  await succeed(['setup', '--yes', '--dir', dir, ...own, join(folder, 'a/state/tls/server.key')]);
  const settings = await loadServerSettings(join(dir, 'server.yml'));
  t.like(settings.ports[0]?.tls, { certificate: join(folder, 'a/state/tls/server.crt') });
  t.false((await filesBelow(dir)).includes('pki/ca.crt'));
});

test('a flag that will not do is refused by name, before anything is written', async (t) => {
  const dir = join(await scratchFolder(t), 'site');
  const cases: [string[], RegExp][] = [
    [['--port', '70000'], /cannot use --port "70000": expected a port/],
    [['--host-name', 'a b'], /cannot use --host-name "a b"/],
    [['--public-url', 'https://x/y'], /cannot use --public-url .*without a path/],
    [['--collect-interval', '5'], /cannot use --collect-interval "5": expected a number and s, m, h or d/],
    [['--port', '0'], /cannot use --public-url "": expected https:/],
    [['--mail', 'nobody'], /cannot use --mail/],
    [['--certificate', '/x'], /cannot use --certificate without --certificate-key/],
    [['--certificate', '/x', '--certificate-key', '/y'], /cannot use --certificate \/x: there is no such file/],
    [['--v1', '/none'], /cannot use --v1 \/none: there is no such file/],
    [['--store', 'embedded', '--mongo-host', 'db1'], /cannot use --mongo-host together with --store embedded/],
    [['--mongo-password-file', '/none'], /cannot use --mongo-password-file without --store mongo/],
    [['--mongo-ca', '/none'], /cannot use --mongo-ca without --store mongo/],
    [['--store', 'embedded', '--mongo-tls'], /cannot use --mongo-tls together with --store embedded/],
    [['--store', 'mongo', '--mongo-ca', '/none'], /cannot use --mongo-ca \/none: there is no such file/],
    [['--no-audit', '--mail', 'a@b.example'], /cannot use --mail together with --no-audit/],
    [['--store', 'sqlite'], /'sqlite' is invalid/],
    [['--log-level', 'loud'], /'loud' is invalid/],
  ];
  for (const [flags, expected] of cases) {
    const { status, stderr } = await penguindome(['setup', '--yes', '--dir', dir, ...flags]);
    t.is(status, 2, flags.join(' '));
    t.regex(stderr, expected);
  }
  t.deepEqual(await filesBelow(dir), []);
});

test('the URL follows from name, port and TLS', async (t) => {
  const folder = await scratchFolder(t);
  const cases: [string[], string][] = [
    [['--host-name', 'a.example', '--port', '443'], 'https://a.example'],
    [['--host-name', 'a.example', '--port', '443', '--no-tls'], 'http://a.example:443'],
    [['--host-name', 'a.example', '--port', '80', '--no-tls'], 'http://a.example'],
    [['--host-name', '2001:db8::7'], 'https://[2001:db8::7]:8443'],
  ];
  for (const [index, [flags, url]] of cases.entries()) {
    const dir = join(folder, String(index));
    t.is(JSON.parse(await succeed(['setup', '--yes', '--dir', dir, ...flags, '--json'])).public_url, url);
  }
});

test('without a terminal and --yes the flag to use is named', async (t) => {
  const dir = join(await scratchFolder(t), 'site');
  const { status, stderr } = await penguindome(['setup', '--dir', dir, '--host-name', 'x.example']);
  t.is(status, 2);
  t.is(stderr, 'penguindome: cannot ask "Port for agents?" without a terminal: use --port, or --yes\n');
});

// By itself: the one waits 10 s for the other, which makes keys meanwhile.
test.serial('two setups at once make one site', async (t) => {
  const dir = await scratchFolder(t);
  const both = await Promise.all([1, 2].map(() => penguindome(['setup', '--yes', '--dir', dir, '--json'])));
  t.deepEqual(
    both.map(({ status }) => status),
    [0, 0],
    both.map(({ stderr }) => stderr).join(),
  );
  t.deepEqual(await filesBelow(dir), FILES);
  t.true(keyFits(await read(dir, 'state/tls/server.crt'), await read(dir, 'state/tls/server.key')));
});
