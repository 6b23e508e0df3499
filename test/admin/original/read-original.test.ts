import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readOriginal } from '../../../src/admin/original/read-original.ts';
import { scratchFolder } from '../../support/scratch.ts';

async function read(t: ExecutionContext, text: string) {
  const dir = await scratchFolder(t);
  await mkdir(join(dir, 'server'));
  await writeFile(join(dir, 'server/settings.yml'), text);
  const { original, leftovers } = await readOriginal(dir);
  if (original === undefined) throw new Error('expected settings');
  return { dir, original, keys: leftovers.map(({ key }) => key) };
}

const PORTS: [yaml: string, ports: unknown][] = [
  ['{}', [{ port: 80, deprecated: false, tls: false }]],
  [
    'port: 443\nssl: {certificate: /c, key: /k}',
    [{ port: 443, deprecated: false, tls: { certificate: '/c', key: '/k' } }],
  ],
  ['port: 443\nssl: {enabled: no, certificate: /c, key: /k}', [{ port: 443, deprecated: false, tls: false }]],
  [
    'port: [80, 81]\ndeprecated: on',
    [
      { port: 80, deprecated: true, tls: false },
      { port: 81, deprecated: true, tls: false },
    ],
  ],
  [
    'ssl: {certificate: /c, key: /k}\nport:\n  80: {deprecated: true, ssl: {enabled: off}}\n  443:\n  444: {ssl: {key: /other}}',
    [
      { port: 80, deprecated: true, tls: false },
      { port: 443, deprecated: false, tls: { certificate: '/c', key: '/k' } },
      { port: 444, deprecated: false, tls: { certificate: '/c', key: '/other' } },
    ],
  ],
];

for (const [yaml, ports] of PORTS) {
  test(`ports as the original reads them: ${JSON.stringify(yaml)}`, async (t) => {
    t.deepEqual((await read(t, yaml)).original.ports, ports);
  });
}

test("a certificate's path counts from the original's folder", async (t) => {
  const { dir, original } = await read(t, 'port: 443\nssl: {certificate: var/c, key: var/k}');
  t.deepEqual(original.ports[0]?.tls, { certificate: join(dir, 'var/c'), key: join(dir, 'var/k') });
});

const STORES: [yaml: string, settings: object, password?: string][] = [
  ['{}', { hosts: ['localhost'], database: 'penguindome', tls: false }],
  ['database: {host: db1, port: 27018, name: mdm}', { hosts: ['db1:27018'], database: 'mdm' }],
  ['database: {host: "db1,db2:1", replicaset: rs}', { hosts: ['db1', 'db2:1'], replica_set: 'rs' }],
  ['database: {host: ["[2001:db8::1]", db2], port: 9}', { hosts: ['[2001:db8::1]:9', 'db2:9'] }],
  ['database: {username: pd, password: "1234"}', { user: 'pd' }, '1234'],
  ['database: {username: pd, password: 1234}', { user: 'pd' }, '1234'],
  [
    'database: {host: "mongodb://u%40x:p%3Aw@a,b:2/admin?replicaSet=rs&ssl=true"}',
    { hosts: ['a', 'b:2'], user: 'u@x', replica_set: 'rs', tls: true },
    'p:w',
  ],
  ['database: {ssl: yes, ssl_ca_certs: /etc/ca.pem}', { tls: true, ca: '/etc/ca.pem' }],
];

for (const [yaml, settings, password] of STORES) {
  test(`the database as the original reads it: ${yaml}`, async (t) => {
    const { store } = (await read(t, yaml)).original;
    t.like(store.settings, settings);
    t.is(store.password, password);
  });
}

test('YAML is read as PyYAML reads it: yes is true, and y is a name', async (t) => {
  const { original } = await read(t, 'audit_cron: {enabled: Yes}\ngroups: {y: [n, on-call]}\n');
  t.deepEqual(original.settings, [{ path: 'audit.enabled', value: true }]);
  t.deepEqual(original.accounts.groups, { y: ['n', 'on-call'] });
});

test('an endpoint without any entry is as if it were not there', async (t) => {
  const { original } = await read(t, 'server_auth: {download_release: {}, shell: {users: [a]}}');
  t.deepEqual(original.serverAuth, {});
});

test('what the accounts file could not hold is left over: a hash that costs too much, and names that nobody can have', async (t) => {
  const hash = (rounds: number) => `$pbkdf2-sha256$${rounds}$c2FsdA$${'A'.repeat(42)}E`;
  const { original, keys } = await read(
    t,
    `users: {fred: '${hash(200_000)}', slow: '${hash(9_999_999)}', 'a:b': '${hash(200_000)}'}\ngroups: {ops: [fred, ' x']}\nserver_auth: {pipe_create: {users: [fred, 'a:b']}}`,
  );
  t.deepEqual(Object.keys(original.accounts.users), ['fred']);
  t.deepEqual(original.accounts.groups, {});
  t.deepEqual(original.serverAuth, { pipe_create: { users: ['fred'] } });
  t.deepEqual([...keys].sort(), ['groups:ops', 'server_auth:pipe_create:users:a:b', 'users:a:b', 'users:slow']);
});

test('whatever somebody is called, nothing else is changed by it', async (t) => {
  const { original, keys } = await read(t, 'users: {__proto__: x, constructor: y}\ngroups: {__proto__: [a]}\n');
  t.deepEqual(original.accounts.groups, {});
  t.deepEqual([...keys].sort(), ['groups:__proto__', 'users:__proto__', 'users:constructor']);
});
