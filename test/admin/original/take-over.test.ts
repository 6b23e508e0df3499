import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { cp, readdir, readFile, rename, rm, stat, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { loadServerSettings } from '../../../src/settings/load-server-settings.ts';
import { openStore } from '../../../src/store/open.ts';
import { hasGpg } from '../../support/gpg.ts';
import { httpRequest } from '../../support/http.ts';
import { whenPresent } from '../../support/needs.ts';
import { DOWNLOADER, dumpDatabase, FRED } from '../../support/original.ts';
import { penguindome, succeed } from '../../support/penguindome.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { runServer, until } from '../../support/server-program.ts';
import { withDatabase } from '../../support/stores.ts';
import { treeOf } from '../../support/tree.ts';
import { realClock, realRandom } from '../../support/world.ts';
import { API_KEY, IN_THE_CLEAR, PASSWORD, type Site, settingsText, siteWithOriginal } from './site.ts';

const test = whenPresent(
  hasGpg && process.env['PENGUINDOME_TEST_MONGO_STANDALONE'] !== undefined,
  'an original installation: no /usr/bin/gpg, or no mongod',
);

const SECRETS = [PASSWORD, IN_THE_CLEAR, API_KEY, FRED, DOWNLOADER];
/** But for the operator log, in which each run is. */
const oursOf = async ({ dir }: Site) =>
  Object.fromEntries(Object.entries(await treeOf(dir)).filter(([path]) => !path.includes('operator')));
const everything = async (site: Site) => ({
  ours: await oursOf(site),
  original: await treeOf(site.original),
  database: await withDatabase(site.mongo, dumpDatabase),
});
const mode = async (path: string) => (await stat(path)).mode & 0o777;

test('a dry run lists what a run then does, and changes neither files nor databases', async (t) => {
  const site = await siteWithOriginal(t);
  const before = await everything(site);
  const dry = await site.migrate('--from', site.original, '--dry-run', '--json');
  t.is(dry.status, 0, dry.stderr);
  t.deepEqual(await everything(site), before);
  for (const secret of SECRETS) t.false(`${dry.stdout}${dry.stderr}`.includes(secret), secret);
  const said = JSON.parse(dry.stdout);
  t.like(said, { changed: false, dry_run: true });
  const real = JSON.parse((await site.migrate('--from', site.original, '--json')).stdout);
  const steps = said.steps.map((step: { outcome: string }) => ({
    ...step,
    outcome: step.outcome === 'to-do' ? 'made' : step.outcome,
  }));
  t.deepEqual(real, { ...said, changed: true, dry_run: false, steps });
});

test('a copy of the database, and leaving it alone, have dry runs too', async (t) => {
  const site = await siteWithOriginal(t);
  for (const flag of ['--copy-database', '--no-database']) {
    const before = await everything(site);
    const { status, stdout, stderr } = await site.migrate('--from', site.original, '--dry-run', flag);
    t.is(status, 0, stderr);
    t.regex(stdout, /Nothing was changed: this was a dry run\./);
    t.deepEqual(await everything(site), before, flag);
  }
});

test('an installation is taken over whole, and doing it again changes nothing', async (t) => {
  const site = await siteWithOriginal(t);
  const { dir, port, plainPort } = site;
  const { status, stdout, stderr } = await site.migrate('--from', site.original);
  t.is(status, 0, stderr);
  for (const secret of SECRETS) t.false(`${stdout}${stderr}`.includes(secret), secret);
  t.regex(stderr, /systemctl restart penguindome-server/);
  const settings = await loadServerSettings(site.config);
  const [first, ...ports] = settings.ports;
  t.is(site.url, `https://127.0.0.1:${first?.port}`, 'the port of new agents stays');
  const files = {
    certificate: join(dir, `state/tls/original-${port}.crt`),
    key: join(dir, `state/tls/original-${port}.key`),
  };
  const expected = [
    { port, deprecated: false, tls: files },
    { port: plainPort, deprecated: true, tls: false },
  ];
  t.deepEqual(
    ports,
    expected.sort((a, b) => a.port - b.port),
  );
  t.is(await readFile(files.key, 'utf8'), await readFile(join(site.original, 'var/ssl-cert-1/server.key'), 'utf8'));
  t.like(settings, { local_port: Number(site.localUrl.split(':')[2]), log: { level: 'warn' }, v1: { enabled: true } });
  t.like(settings.audit, { enabled: true, mail: 'admins@example.org' });
  t.deepEqual(settings.server_auth, {
    download_release: { ipranges: ['127.0.0.1', '192.168.4.0/24'], users: ['fred'], groups: [] },
    pipe_create: { ipranges: [], users: [], groups: ['server_admins'] },
  });
  t.deepEqual(parse(await readFile(join(dir, 'client-settings.yml'), 'utf8')).all, {
    collect_interval: '5m',
    submit_interval: '1m',
  });
  const password_file = join(dir, 'keys/mongo-password');
  t.like(settings.store, { kind: 'mongo', database: site.mongo.database, user: 'pd', password_file });
  t.is(await readFile(password_file, 'utf8'), `${PASSWORD}\n`);
  t.deepEqual(parse(await readFile(join(dir, 'accounts.yml'), 'utf8')), {
    users: { fred: { password: FRED } },
    groups: { server_admins: ['fred'] },
    endpoints: { download_release: { passwords: { download_user: DOWNLOADER } } },
  });
  t.deepEqual(
    await Promise.all([files.key, files.certificate, password_file, join(dir, 'accounts.yml')].map(mode)),
    [0o600, 0o644, 0o600, 0o640],
  );
  t.regex(await settingsText(site), /^# Where what hosts report is kept/m, 'comments stay');
  const before = await everything(site);
  const again = await site.migrate('--from', site.original, '--json');
  t.is(again.status, 0, again.stderr);
  t.false(JSON.parse(again.stdout).changed);
  t.deepEqual(await everything(site), before);
});

test('what has no counterpart is named, with the reason and without its value', async (t) => {
  const site = await siteWithOriginal(t);
  const { stdout } = await site.migrate('--from', site.original, '--dry-run', '--json');
  const { no_counterpart, client_settings } = JSON.parse(stdout);
  const keys: string[] = no_counterpart.map(({ file, key }: Record<string, string>) => `${file} ${key}`);
  for (const key of [
    ...['threaded', `port:${site.port}:threaded`, 'database:socket_timeout', 'logging:handler', 'logging:syslog'],
    ...['secret_keeping', 'users:eve', 'server_auth:download_release:ipranges:nowhere', 'house_rule'],
  ]) {
    t.true(keys.includes(`server/settings.yml ${key}`), key);
  }
  for (const key of ['server_url', 'geolocation_api_key', 'logging', 'ssl:ca_path']) {
    t.true(keys.includes(`client/settings.yml ${key}`), key);
  }
  t.true(no_counterpart.every(({ why }: { why: string }) => why.length > 10));
  t.deepEqual(client_settings, { collect_interval: '5m', submit_interval: '1m' });
});

test('the server starts on what was taken over, and stores what an original client once sent', async (t) => {
  const site = await siteWithOriginal(t);
  await succeed(['--config', site.config, 'migrate', '--from', site.original]);
  // the recordings are old
  await succeed(['--config', site.config, 'settings', 'set', 'v1.signature_age', '3650d']);
  // the original's says warning, and that it is ready is told at info
  await succeed(['--config', site.config, 'settings', 'set', 'log.level', 'info']);
  await runServer(t, site);
  const recorded = JSON.parse(await readFile('test/fixtures/penguindome-v1/02-submit.http.json', 'utf8'));
  const body = await readFile('test/fixtures/penguindome-v1/02-submit.body');
  const { method, path, headers } = recorded;
  const url = `https://127.0.0.1:${site.port}${path}`;
  const { status, body: answer } = await httpRequest(url, { method, headers, body, ca: site.ca });
  t.is(`${status} ${answer}`, '200 ok');
  const hosts = JSON.parse(await succeed(['--config', site.config, '--json', 'hosts', 'list']));
  t.deepEqual(
    hosts.map(({ hostname, protocol }: Record<string, string>) => `${hostname} ${protocol}`),
    ['home v1', 'penguin-01 v1', 'work v1'],
  );
  const stored = await withDatabase(site.mongo, (db) => db.collection('clients').findOne({ hostname: 'penguin-01' }));
  t.truthy(stored?.['plugins'].firewall, "it is in the original's own database");
  t.is((await httpRequest(`http://127.0.0.1:${site.plainPort}/penguindome/v1/update`, { method: 'POST' })).status, 400);
});

test('what is here already stays: passwords, ports, and hosts above all', async (t) => {
  const site = await siteWithOriginal(t);
  const { config, dir, original } = site;
  const accounts = join(dir, 'accounts.yml');
  await writeFile(accounts, `# ours\nusers:\n  fred:\n    password: ${DOWNLOADER}\n`, { mode: 0o640 });
  const settings = join(original, 'server/settings.yml');
  const text = await readFile(settings, 'utf8');
  const ours = new URL(site.url).port;
  await writeFile(settings, text.replace(String(site.plainPort), ours));
  const { status, stderr } = await site.migrate('--from', original);
  t.is(status, 0, stderr);
  t.regex(stderr, /users:fred:password is in .*accounts\.yml already, and is not the original's: what is there stays/);
  t.regex(
    stderr,
    new RegExp(`port ${ours} is in the settings already, with the certificate .*, and at the original without TLS`),
  );
  const { users, groups } = parse(await readFile(accounts, 'utf8'));
  t.deepEqual([users, groups], [{ fred: { password: DOWNLOADER } }, { server_admins: ['fred'] }]);
  t.regex(await readFile(accounts, 'utf8'), /^# ours\n/);
  const { ports } = await loadServerSettings(config);
  t.deepEqual(
    ports.map(({ port, tls }) => [port, tls !== false]),
    [
      [Number(ours), true],
      [site.port, true],
    ],
  );
});

test("where hosts have reported here already, the database is not exchanged for the original's", async (t) => {
  const site = await siteWithOriginal(t);
  const { store: settings } = await loadServerSettings(site.config);
  const store = await openStore(settings, { clock: realClock, random: realRandom });
  await store.hosts.storeV1({ hostname: 'ours', at: new Date(), plugins: {}, trail: [] });
  await store.close();
  // the database tidies up its own files when it is opened
  const files = () =>
    treeOf(site.dir, (path) => !path.startsWith('store/penguindome.db') && !path.includes('operator'));
  const before = await files();
  for (const flags of [['--copy-database'], []]) {
    const { status, stderr } = await site.migrate('--from', site.original, ...flags);
    t.is(status, 1, stderr);
    t.regex(stderr, /1 hosts have reported or enrolled here already, and would be lost; use --no-database/);
  }
  t.deepEqual(await files(), before);
  const { status, stderr } = await site.migrate('--from', site.original, '--no-database');
  t.is(status, 0, stderr);
  t.like(await loadServerSettings(site.config), { v1: { enabled: true }, store: { kind: 'embedded' } });
});

test('killed at any step, the settings are the old ones or the new ones, and the next run completes it', async (t) => {
  const site = await siteWithOriginal(t);
  const { config, dir, original, port } = site;
  const old = await settingsText(site);
  const fresh = join(await scratchFolder(t), 'fresh');
  await cp(dir, fresh, { recursive: true });
  const check = async (step: string) => {
    const { v1, store } = await loadServerSettings(config);
    const isOld = (await settingsText(site)) === old;
    t.deepEqual([v1.enabled, store.kind], isOld ? [false, 'embedded'] : [true, 'mongo'], step);
  };
  // It waits for a lock that somebody has: there it stands, for sure.
  for (const lock of [`${config}.migrate.lock`, join(dir, 'accounts.yml.lock'), `${config}.lock`]) {
    await killedAtLock(site, lock);
    t.is(await settingsText(site), old, lock);
  }
  t.true((await readdir(join(dir, 'keys'))).includes('mongo-password'), 'all was there but the settings');
  const renew = async () => {
    await rm(dir, { recursive: true });
    await cp(fresh, dir, { recursive: true });
  };
  await renew();
  // Wherever it is when its file is seen; one that was quicker than that has the whole before it again.
  for (const file of [
    'keys/v1-server.asc',
    'keys/v1-client.asc',
    `state/tls/original-${port}.key`,
    'keys/mongo-password',
  ]) {
    const struck = await killedWhenThere(site, join(dir, file));
    t.log(file, struck ? 'struck' : 'was done before');
    await check(file);
    if (!struck) await renew();
  }
  const { status, stderr } = await site.migrate('--from', original);
  t.is(status, 0, stderr);
  t.like(await loadServerSettings(config), { v1: { enabled: true }, store: { kind: 'mongo' } });
  t.false(JSON.parse((await site.migrate('--from', original, '--json')).stdout).changed);
  const left = (await readdir(dir, { recursive: true })).filter((name) => /\.tmp$|\.lock/.test(name));
  t.deepEqual(left, []);
  const copies = (await readdir(tmpdir())).filter((name) =>
    started.some((pid) => name.startsWith(`penguindome-keyring-${pid}-`)),
  );
  t.deepEqual(copies, [], 'nor a copy of the keyring');
});

test('a copy of the database that was killed is made by the next run, and then never again', async (t) => {
  const site = await siteWithOriginal(t);
  const { config, original } = site;
  const database = await withDatabase(site.mongo, dumpDatabase);
  t.true(await killedWhenThere(site, join(site.dir, 'state/original-copy.json'), '--copy-database'));
  const settings = ['--config', config];
  t.is((await penguindome([...settings, 'hosts', 'list'])).status, 0);
  const copied = await site.migrate('--from', original, '--copy-database');
  t.is(copied.status, 0, copied.stderr);
  t.regex(copied.stderr, /copied from .*: 2 clients, 4 client_parameters, 2 issues, 1 patches, 2 audit_trail\n/);
  t.deepEqual(await withDatabase(site.mongo, dumpDatabase), database);
  t.like(await loadServerSettings(config), { v1: { enabled: true }, store: { kind: 'embedded' } });
  const { v1 } = JSON.parse(await succeed([...settings, '--json', 'migrate', 'status']));
  t.deepEqual(
    v1.map(({ hostname, since }: Record<string, string>) => [hostname, since]),
    [
      ['home', null],
      ['work', '2024-10-02T10:00:00.123Z'],
    ],
  );
  await succeed([...settings, 'hosts', 'forget', 'home', '--yes']);
  for (const flags of [['--copy-database'], []]) {
    const again = await site.migrate('--from', original, ...flags, '--json');
    t.false(JSON.parse(again.stdout).changed, again.stderr);
  }
  t.is(JSON.parse(await succeed([...settings, '--json', 'hosts', 'list'])).length, 1, 'what was forgotten stays so');
});

/** Processes of this file. */
const started: (number | undefined)[] = [];

function start({ config, original }: Site, flags: string[] = []) {
  const args = ['build/penguindome', '--config', config, 'migrate', '--from', original, ...flags];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  started.push(child.pid);
  return { child, gone: once(child, 'exit') };
}

/** @returns whether it was still running when the file came */
async function killedWhenThere(site: Site, file: string, ...flags: string[]): Promise<boolean> {
  const { child, gone } = start(site, flags);
  const watcher = watch(dirname(file), (_, name) => {
    if (name === basename(file) && existsSync(file)) child.kill('SIGKILL');
  });
  await gone;
  watcher.close();
  return child.signalCode === 'SIGKILL';
}

async function killedAtLock(site: Site, lock: string): Promise<void> {
  await writeFile(lock, `${process.pid}\n`);
  const { child, gone } = start(site);
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`it ended before it came to ${lock}`);
    return (await readdir(dirname(lock))).some((name) => name.startsWith(`${basename(lock)}.${child.pid}.`));
  });
  child.kill('SIGKILL');
  await gone;
  await rm(lock);
}

test('what cannot be taken over is said before anything is written', async (t) => {
  const site = await siteWithOriginal(t);
  const config = join(site.original, 'server/settings.yml');
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [i, name] of [...'bcdefgh'].entries()) {
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`);
  }
  const good = await readFile(config, 'utf8');
  const broken = (from: string, to: string) => () => writeFile(config, good.replace(from, to));
  const cases: [string, () => Promise<unknown>, number, RegExp][] = [
    [
      'no YAML',
      () => writeFile(config, 'port: [80\n'),
      3,
      /cannot read .*settings\.yml as YAML: .*; nothing was changed/,
    ],
    ['a tag', () => writeFile(config, 'port: !!python/object/apply:os.system ["id"]\n'), 3, /as YAML: Unresolved tag/],
    ['aliases without end', () => writeFile(config, bomb.join('\n')), 3, /its aliases stand for too much/],
    ['a list', () => writeFile(config, '- 80\n'), 3, /the file: expected a group of keys/],
    ['too large', () => truncate(config, 2 * 1024 * 1024), 3, /has 2097152 bytes, and 1048576 are allowed/],
    ['a link that leads out', () => unlink(config).then(() => symlink('/etc/hostname', config)), 3, /it leads out of/],
    ['a bad port', () => writeFile(config, 'port: 123456\n'), 3, /port: expected a port from 1 to 65535/],
    [
      'no key of the certificate',
      broken('key: var/ssl-cert-1/server.key', 'key: var/ssl-cert-1/server.crt'),
      3,
      /is no PEM key/,
    ],
    ['no certificate', broken('server.crt', 'none.crt'), 3, /cannot use .*none\.crt: ENOENT/],
    [
      'a door that would stand open',
      broken('{groups: [server_admins]}', '{passwords: {x: y}}'),
      3,
      /pipe_create: expected at least one/,
    ],
    ['a wrong password', broken(PASSWORD, 'other'), 1, /cannot use the database: Authentication failed/],
    [
      'nobody there',
      () => writeFile(config, good.replace(/host: \[.*\]/, 'host: 127.0.0.1:1')),
      75,
      /cannot use the database now/,
    ],
    ['a srv record', broken('host: [', 'host: ["mongodb+srv://x.example.org", '), 3, /database:host: expected hosts/],
  ];
  for (const [name, breakIt, status, said] of cases) {
    await breakIt();
    const before = await everything(site);
    const ran = await site.migrate('--from', site.original);
    t.is(ran.status, status, `${name}: ${ran.stderr}`);
    t.regex(ran.stderr, said, name);
    for (const secret of SECRETS) t.false(ran.stderr.includes(secret), name);
    t.deepEqual(await everything(site), before, name);
    await unlink(config);
    await writeFile(config, good);
  }
  await rename(join(site.original, 'server/keyring'), join(site.original, 'server/elsewhere'));
  await symlink('/etc', join(site.original, 'server/keyring'));
  t.regex((await site.migrate('--from', site.original)).stderr, /keyring: it leads out of/);
  t.is((await penguindome(['--config', '/nonexistent/server.yml', 'migrate', '--from', site.original])).status, 3);
});
