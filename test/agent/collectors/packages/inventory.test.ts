import test from 'ava';
import { packages } from '../../../../src/agent/collectors/packages/index.ts';
import { parseSnapVersion } from '../../../../src/agent/collectors/packages/snaps.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant, saying } from '../host-in-folder.ts';
import { ARCH, DEBIAN, FEDORA } from '../updates/machine.ts';
import { factOf, told } from './machine.ts';

const stanza = (name: string, version: string, architecture = 'amd64', state = 'install ok installed') =>
  `Package: ${name}\nStatus: ${state}\nArchitecture: ${architecture}\nVersion: ${version}\nDescription: x\n more\n`;

test('Debian: what is there, with the versions of each architecture where they differ', async (t) => {
  const status = [
    stanza('zlib1g', '1:1.2.13.dfsg-1'),
    stanza('zlib1g', '1:1.2.13.dfsg-1', 'i386'),
    stanza('libc6', '2.36-9'),
    stanza('libc6', '2.36-8', 'i386'),
    stanza('gone', '1', 'all', 'deinstall ok config-files'),
    stanza('broken', '3', 'all', 'install ok half-configured'),
  ].join('\n');
  t.deepEqual(await factOf(t, 'inventory', { ...DEBIAN, '/var/lib/dpkg/status': status }), {
    deb: { broken: '3', libc6: ['2.36-8', '2.36-9'], zlib1g: '1:1.2.13.dfsg-1' },
  });
});

test('Fedora: epochs where there are any, every kernel, and not the keys that rpm imported', async (t) => {
  // rpm 4.18
  const query =
    'kernel-core\t6.5.6-300.fc39\tx86_64\nkernel-core\t6.6.8-200.fc39\tx86_64\nvim-data\t2:9.0.2120-1.fc39\tnoarch\ngpg-pubkey\t18b8e74c-62f2920f\t(none)\n';
  t.deepEqual(await factOf(t, 'inventory', { ...FEDORA, '/usr/bin/rpm': saying(query) }), {
    rpm: { 'kernel-core': ['6.5.6-300.fc39', '6.6.8-200.fc39'], 'vim-data': '2:9.0.2120-1.fc39' },
  });
});

test('Arch: from the folders of its database, whose names may hold dashes', async (t) => {
  const files = {
    ...ARCH,
    '/var/lib/pacman/local/ALPM_DB_VERSION': '9\n',
    '/var/lib/pacman/local/xorg-server-common-21.1.13-1/desc': '',
    '/var/lib/pacman/local/systemd-1:256.4-1/desc': '',
  };
  t.deepEqual(await factOf(t, 'inventory', files), {
    pacman: { systemd: '1:256.4-1', 'xorg-server-common': '21.1.13-1' },
  });
});

test('flatpaks and snaps of the whole system stand beside them, and are left out where there are no such tools', async (t) => {
  const files = {
    ...ARCH,
    '/var/lib/pacman/local/a-1-1/desc': '',
    '/usr/bin/flatpak': saying(
      'org.mozilla.firefox\tstable\t133.0\norg.freedesktop.Platform\t23.08\t\norg.freedesktop.Platform\t24.08\t\n',
    ),
    '/usr/bin/snap': saying(''),
    '/snap/README': 'x',
    '/snap/bin/firefox': '-> /usr/bin/snap',
    '/snap/firefox/100/meta/snap.yaml': "name: firefox\nversion: '133.0-2'\nsummary: x\n",
    '/snap/firefox/current': '-> 100',
    '/snap/core22/1/meta/snap.yaml': 'name: core22\nversion: "20240111" # base\napps:\n  x:\n    version: 3\n',
    '/snap/core22/current': '-> 1',
    '/snap/unmounted/7': '-> nowhere',
  };
  t.deepEqual(await factOf(t, 'inventory', files), {
    flatpak: { 'org.freedesktop.Platform': ['23.08', '24.08'], 'org.mozilla.firefox': '133.0' },
    snap: { core22: '20240111', firefox: '133.0-2' },
    pacman: { a: '1-1' },
  });
  const { inventory } = Object(await told(t, { ...ARCH, '/var/lib/pacman/local/a-1-1/desc': '' }));
  t.deepEqual(Object.keys(inventory), ['pacman']);
});

test('a part that cannot be told is unknown, with its reason, and leaves the others', async (t) => {
  t.like(await told(t, { ...DEBIAN, '/usr/bin/flatpak': saying('x\tstable\t1\n') }), {
    inventory: { deb: 'unknown', flatpak: { x: '1' } },
    reasons: { 'inventory.deb': '/var/lib/dpkg/status is missing' },
  });
  for (const rpm of [saying('', 1), saying('')]) {
    t.like(await told(t, { ...FEDORA, '/usr/bin/rpm': rpm }), { inventory: { rpm: 'unknown' } });
  }
  t.deepEqual(await factOf(t, 'inventory', { ...ARCH, '/usr/bin/flatpak': saying('', 1) }), {
    pacman: 'unknown',
    flatpak: 'unknown',
  });
  t.like(await told(t, { '/etc/os-release': 'ID=alpine\n' }), { inventory: { system: 'unknown' } });
});

test('packages are counted again six hours later', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { ...ARCH, '/var/lib/pacman/local/a-1-1/desc': '' });
  const tools = memory();
  const host = hostInFolder(t, folder);
  const after = (hours: number) => ({ ...host, now: () => new Date(Date.now() + hours * 3_600_000) });
  await packages.collect(host, tools);
  await plant(folder, { '/var/lib/pacman/local/b-1-1/desc': '' });
  t.deepEqual(Object(await packages.collect(after(5), tools)).inventory, { pacman: { a: '1-1' } });
  t.deepEqual(Object(await packages.collect(after(7), tools)).inventory, { pacman: { a: '1-1', b: '1-1' } });
});

for (const [yaml, expected] of [
  ['version: 1.2.3+git1\n', '1.2.3+git1'],
  ["name: x\nversion: '1.2'\n", '1.2'],
  ['apps:\n  version: 1\n', undefined],
  ['', undefined],
  ['\u0000\ufffd', undefined],
] as const) {
  test(`the version in ${JSON.stringify(yaml)} is ${expected}`, (t) => {
    t.is(parseSnapVersion(yaml), expected);
  });
}
