import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { group } from '../../../../src/agent/collectors/group.ts';
import { parseEnvironment, placeOf } from '../../../../src/agent/collectors/network/parse-proxy.ts';
import { proxy } from '../../../../src/agent/collectors/network/proxy.ts';
import { whenPresent } from '../../../support/needs.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant, thisHost } from '../host-in-folder.ts';
import { saysOf } from './facts-of.ts';

const PLACES: Record<string, ReturnType<typeof placeOf>> = {
  'http://proxy.example:3128/': { host: 'proxy.example', port: 3128 },
  'http://alice:s3cret@proxy.example:3128': { host: 'proxy.example', port: 3128 },
  'https://proxy.example': { host: 'proxy.example', port: 443 },
  'socks5://alice:s3cret@[2001:db8::1]:1080': { host: '[2001:db8::1]', port: 1080 },
  'proxy.example:8080': { host: 'proxy.example', port: 8080 },
  'alice:s3cret@proxy.example:8080': { host: 'proxy.example', port: 8080 },
  'http://alice:s3 cret@@@:x': {},
  'http://alice:2024#Winter@proxy:3128': {},
  'http://alice:2024?Winter@proxy:3128': {},
  'http://alice:2024/Winter@proxy:3128': {},
  'http://alice:2024\\Winter@proxy:3128': {},
  'alice:2024#Winter@proxy:3128': {},
  'socks5://alice:2024#Winter@proxy:3128': {},
  'http://proxy.example:3128/#x': { host: 'proxy.example', port: 3128 },
  DIRECT: undefined,
  '': undefined,
};

for (const [text, place] of Object.entries(PLACES)) {
  test(`"${text}" is ${place === undefined ? 'no proxy' : JSON.stringify(place)}`, (t) => {
    t.deepEqual(placeOf(text), place);
  });
}

test('variables are found as shells, pam_env and systemd write them, and comments are not', (t) => {
  const text = [
    'http_proxy=http://a:1',
    'export HTTPS_PROXY="http://b:2"',
    "  declare -x all_proxy='socks5://c:3'; export ftp_proxy=d:4",
    'DefaultEnvironment="LANG=C" "http_proxy=http://e:5"',
    '#http_proxy=http://no:1',
    'no_proxy=localhost',
    'my_http_proxy=http://no:2',
    'unset http_proxy',
  ].join('\n');
  t.deepEqual(parseEnvironment(text), [
    { scheme: 'http', value: 'http://a:1' },
    { scheme: 'https', value: 'http://b:2' },
    { scheme: 'all', value: 'socks5://c:3' },
    { scheme: 'ftp', value: 'd:4' },
    { scheme: 'http', value: 'http://e:5' },
  ]);
});

test('every place where a system keeps a proxy is looked at, and nothing is told of names and passwords', async (t) => {
  const said = await saysOf(t, proxy, {
    '/etc/environment': 'PATH=/usr/bin\nhttp_proxy="http://alice:s3cret@env.example:3128"\n',
    '/etc/profile.d/proxy.sh': 'export https_proxy=http://alice:s3cret@env.example:3128\n',
    '/etc/profile.d/proxy.sh~': 'export https_proxy=http://old.example:1\n',
    '/etc/dnf/dnf.conf': '[main]\nproxy=http://dnf.example:8080\nproxy_password=s3cret\n',
    '/etc/dconf/db/local.d/00-proxy':
      "[system/proxy]\nmode='manual'\n[system/proxy/http]\nhost='gnome.example'\nport=8081\nauthentication-password='s3cret'\n",
  });
  t.deepEqual(said, {
    proxy: [
      { from: 'dnf', scheme: 'http', host: 'dnf.example', port: 8080 },
      { from: 'environment', scheme: 'http', host: 'env.example', port: 3128 },
      { from: 'environment', scheme: 'https', host: 'env.example', port: 3128 },
      { from: 'gnome', scheme: 'http', host: 'gnome.example', port: 8081 },
    ],
  });
  t.false(/alice|s3cret/.test(JSON.stringify(said)));
});

test('GNOME that is told to take none, and no settings at all, are no proxy', async (t) => {
  const gnome = { '/etc/dconf/db/local.d/00-proxy': "[system/proxy]\nmode='none'\n[system/proxy/http]\nhost='x'\n" };
  t.deepEqual(await saysOf(t, proxy, gnome), { proxy: [] });
  const script = { '/etc/dconf/db/site.d/x': "[system/proxy]\nmode='auto'\nautoconfig-url='http://a:b@x/pac'\n" };
  t.deepEqual(await saysOf(t, proxy, script), { proxy: [{ from: 'gnome', scheme: 'auto' }] });
});

const real = whenPresent(existsSync('/usr/bin/apt-config'), 'apt-config');

real('the real apt-config says what of nested and overridden settings holds', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, {
    '/parts/10-nested': 'Acquire { http { Proxy "http://old.example:1"; }; https::Proxy "DIRECT"; };\n',
    '/parts/20-over': 'Acquire::http::Proxy "http://alice:s3cret@apt.example:3142";\n',
  });
  const config = join(folder, 'apt.conf');
  await plant(folder, { '/apt.conf': `Dir::Etc::parts "${folder}/parts";\n` });
  t.is(spawnSync('/usr/bin/apt-config', ['dump'], { env: { APT_CONFIG: config } }).status, 0);
  const host = thisHost(t);
  const said = await group('network', '', [proxy]).collect(
    {
      ...hostInFolder(t, folder),
      find: host.find,
      run: (path, args, options) => host.run(path, args, { ...options, env: { APT_CONFIG: config } }),
    },
    memory(),
  );
  t.deepEqual(said, { proxy: [{ from: 'apt', scheme: 'http', host: 'apt.example', port: 3142 }] });
});
