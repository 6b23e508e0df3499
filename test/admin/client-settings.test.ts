import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { placesOf, readKeyFiles } from '../../src/admin/key-files.ts';
import type { Fields } from '../../src/core/value.ts';
import { keyFile } from '../../src/store/backup/format.ts';
import type { Store } from '../../src/store/port.ts';
import { type SiteInProcess, siteInProcess } from './site-in-process.ts';

const fileOf = ({ folder }: SiteInProcess) => join(folder, 'client-settings.yml');
const read = (site: SiteInProcess) => readFile(fileOf(site), 'utf8');

/** Hosts that reported once, in the original's way: what they say of their settings, or nothing. */
async function siteWith(t: ExecutionContext, hosts: Record<string, Fields>): Promise<SiteInProcess> {
  const site = await siteInProcess(t);
  const store = await site.store(t);
  for (const [hostname, plugins] of Object.entries(hosts)) await report(store, hostname, plugins);
  return site;
}

async function report({ hosts }: Store, hostname: string, plugins: Fields): Promise<void> {
  await hosts.storeV1({ hostname, plugins, at: new Date(), trail: [] });
}

const reporting = (settings: Fields): Fields => ({ agent: { settings } });

test('what is wanted is written beside the settings, in place, and may be written by nobody else', async (t) => {
  const site = await siteWith(t, { 'lap-17.example': {} });
  await site.ok('client-settings', 'set', 'collect_interval', '30m');
  await site.ok('client-settings', 'set', 'collectors.disabled', '[session, packages]');
  await site.ok('client-settings', 'set', 'submit_interval', '5m', '--host', 'LAP-17.example');
  const text = await read(site);
  t.regex(text, /^# What this server wants/);
  const body = [
    'all:',
    '  collect_interval: 30m',
    '  collectors:',
    '    disabled:',
    '      - session',
    '      - packages',
  ];
  t.is(
    text.slice(text.indexOf('all:')),
    `${[...body, 'hosts:', '  lap-17.example:', '    submit_interval: 5m'].join('\n')}\n`,
  );
  t.is((await stat(fileOf(site))).mode & 0o777, 0o644);
  await writeFile(fileOf(site), text.replace('30m', '30m # slow machines'));
  await site.ok('client-settings', 'set', 'collect_interval', '1h');
  t.is(await read(site), text.replace('30m', '1h # slow machines'));
  t.deepEqual(await site.json('client-settings', 'set', 'collect_interval', '1h'), {
    changed: false,
    file: fileOf(site),
    orders: [],
  });
  await site.ok('client-settings', 'unset', 'submit_interval', '--host', 'lap-17.example');
  await site.ok('client-settings', 'unset', 'collectors.disabled');
  t.false(/lap-17|disabled/.test(await read(site)));
});

test('nothing can be wanted but what is listed: not whom agents trust, what they run, or what tells of people', async (t) => {
  const site = await siteWith(t, {});
  for (const [key, value] of [
    ['url', 'https://evil.example'],
    ['hostname', 'x'],
    ['plugins.local', 'true'],
    ['plugins.settings', '{}'],
    ['collectors.enabled', '[prey]'],
    ['collectors.geolocation', '{url: https://evil.example/}'],
    ['collectors.geolocation.key', '/etc/shadow'],
    ['collectors.ip_addresses.ca', '/x'],
    ['collectors', '{enabled: [prey]}'],
    ['network.timeout', '1s'],
    ['spool.max_size', '1M'],
    ['__proto__', '1'],
  ] as const) {
    const { status, err } = await site.run('client-settings', 'set', key, value);
    t.is(status, 2, key);
    t.regex(err, /set on the machine itself|among the settings of agents/, key);
  }
  t.regex((await site.run('client-settings', 'set', 'colect_interval', '1m')).err, /did you mean collect_interval\?/);
  for (const [key, value] of [
    ['collect_interval', 'often'],
    ['collect_interval', '0s'],
    ['collectors.disabled', 'packages'],
  ] as const) {
    const { status, err } = await site.run('client-settings', 'set', key, value);
    t.is(status, 3, key);
    t.regex(err, /and left it as it was; it would read:/);
  }
  t.regex(
    (await site.run('client-settings', 'set', 'collect_interval', '1m', '--host', 'nobody')).err,
    /cannot find a host/,
  );
  await t.throwsAsync(stat(fileOf(site)), { code: 'ENOENT' });

  await writeFile(
    fileOf(site),
    'all:\n  url: https://evil.example\nhosts:\n  "a b": {collectors: {enabled: [prey]}}\n',
  );
  const { status, err } = await site.run('client-settings', 'list');
  t.is(status, 3);
  t.regex(
    err,
    /client-settings\.yml:2: all\.url: expected a known key, found an unknown one \(known here: collect_interval, /,
  );
  t.regex(err, /expected a host name/);
  t.regex(err, /hosts\.a b\.collectors\.enabled: expected a known key.*\(known here: disabled\)/);
});

test('hosts are compared with what is wanted of them: agrees, differs, does not report', async (t) => {
  const site = await siteWith(t, {
    agrees: reporting({
      collect_interval: '30m',
      submit_interval: '7m',
      collectors: { disabled: ['a', 'b'], enabled: [] },
    }),
    differs: reporting({ collect_interval: '10m', submit_interval: '1m', collectors: { disabled: [] } }),
    old: { os_info: 1 },
    own: reporting({ collect_interval: '1d', submit_interval: '1m', collectors: { disabled: ['a', 'b'] } }),
    strange: reporting({ collect_interval: { $gt: 1 }, collectors: 'x' }),
  });
  t.regex(await site.ok('client-settings', 'list'), /^nothing is wanted of agents.*agrees +nothing wanted/s);
  await site.ok('client-settings', 'set', 'collect_interval', '1800s');
  await site.ok('client-settings', 'set', 'collectors.disabled', '[b, a, b]');
  await site.ok('client-settings', 'set', 'collect_interval', '24h', '--host', 'own');
  const unreported = (hostname: string) => ({ hostname, order: null, state: 'not-reported' });
  t.deepEqual(await site.json('client-settings', 'list'), {
    file: fileOf(site),
    all: { collect_interval: '30m', 'collectors.disabled': ['a', 'b'] },
    hosts: [{ hostname: 'own', wanted: { collect_interval: '1d' } }],
    compared: [
      { hostname: 'agrees', order: null, state: 'agrees' },
      {
        ...{ hostname: 'differs', order: null, state: 'differs' },
        differences: [
          { key: 'collect_interval', wanted: '30m', reported: '10m' },
          { key: 'collectors.disabled', wanted: ['a', 'b'], reported: [] },
        ],
      },
      unreported('old'),
      { hostname: 'own', order: null, state: 'agrees' },
      unreported('strange'),
    ],
    unknown_hosts: [],
  });
  const text = await site.ok('client-settings', 'list', '--differs');
  t.regex(text, /^\(all\) +collect_interval +30m$/m);
  t.regex(text, /^differs +differs +collect_interval 10m; collectors\.disabled \[\] +-$/m);
  t.regex(text, /^old +does not report +- +-$/m);
  t.notRegex(text, /^agrees/m);
  t.regex(await site.ok('client-settings', 'list', '--host', 'own'), /^own +agrees +- +-$/m);
});

test('a host that is forgotten takes what was wanted of it along; one that is gone otherwise is named', async (t) => {
  const site = await siteWith(t, { one: {}, two: {} });
  for (const host of ['one', 'two']) await site.ok('client-settings', 'set', 'submit_interval', '5m', '--host', host);
  await site.ok('hosts', 'forget', 'one', '--yes');
  t.false((await read(site)).includes('one:'));
  await (await site.store(t)).hosts.forget('two', new Date());
  const { err } = await site.run('client-settings', 'list');
  t.regex(err, /There is no host named two: penguindome client-settings unset --host two/);
  await site.ok('client-settings', 'unset', '--host', 'two');
  t.regex((await site.run('client-settings', 'unset', '--host', 'two')).err, /nothing is wanted of two itself/);
  t.is((await site.run('client-settings', 'unset')).status, 2);
});

test('a backup with keys takes it along, and a restore puts it back', async (t) => {
  const site = await siteWith(t, {});
  await site.ok('client-settings', 'set', 'collect_interval', '30m');
  const before = await read(site);
  const at = (name: string) => join(site.folder, name);
  const folders = { pki: at('pki'), keys: at('keys'), accounts: at('accounts.yml'), state: at('state') };
  const files = await readKeyFiles(site.config, folders);
  t.is(files.find(({ file }) => file === 'client-settings.yml')?.content.toString(), before);
  const places = placesOf(files, site.config, undefined);
  t.is(places.get(fileOf(site))?.file, 'client-settings.yml');
  for (const { file, mode, content } of files) {
    t.notThrows(() => keyFile.parse({ file, mode, content: Buffer.from(content).toString('base64') }));
  }
});
