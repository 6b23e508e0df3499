import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { HostAccess } from '../../../src/agent/collector.ts';
import { osUpdates } from '../../../src/agent/collectors/os-updates.ts';
import { hasHiddenSecurity, parseDpkgStatus, parseUpgrades } from '../../../src/agent/collectors/parse-apt.ts';
import { days, hours } from '../../../src/core/duration.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, memory, plant, saying } from './host-in-folder.ts';

/** Collects on a planted machine. @param age how long ago, by the machine's clock, all its files were written */
async function collect(t: ExecutionContext, files: Record<string, string>, age = 0): Promise<unknown> {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  return osUpdates.collect({ ...hostInFolder(t, folder), now: () => new Date(Date.now() + age) }, memory());
}

const DEBIAN = { '/etc/os-release': 'ID=debian\nVERSION_CODENAME=bookworm\n' };
const LISTS = '/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm';
const signed = (origin: string, suite: string, codename: string, label = origin) =>
  `-----BEGIN PGP SIGNED MESSAGE-----\n\nOrigin: ${origin}\nLabel: ${label}\nSuite: ${suite}\nCodename: ${codename}\n`;
const main = (suite: string, codename = 'bookworm') => ({ [`${LISTS}_InRelease`]: signed('Debian', suite, codename) });
const release = (suite: string, codename = 'bookworm') => ({
  ...main(suite, codename),
  [`${LISTS}-security_InRelease`]: signed('Debian', `${suite}-security`, `${codename}-security`, 'Debian-Security'),
});
const DPKG = {
  '/var/lib/dpkg/status': [
    'Package: zsh\nStatus: install ok installed\nVersion: 5\n',
    'Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n',
    'Package: bash\nStatus: hold ok installed\nVersion: 5\n',
  ].join('\n'),
};
// apt 2.6 (Debian 12)
const MAIN =
  'Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])\nConf base-files (12.4+deb12u15 Debian:12.15/oldstable [amd64])';
const SECURITY =
  'Inst libc6 [2.36-9] (2.36-10 Debian-Security:12/oldstable-security, Debian:12.15/oldstable [amd64]) []';
const NEW = 'Inst linux-image-6.1.0-99-amd64 (6.1.1 Debian:12.15/oldstable [amd64])';

const apt = (simulation: string, policy = saying('', 100)) => ({
  ...DEBIAN,
  ...DPKG,
  '/usr/bin/apt-get': simulation,
  '/usr/bin/apt-cache': policy,
});

const NAMES = ['bash', 'zsh'];

test('Debian without anything to do, on fresh data', async (t) => {
  t.deepEqual(await collect(t, { ...apt(saying('')), ...release('stable') }), {
    release: false,
    current: true,
    patches: false,
    security_patches: false,
    installed_packages: NAMES,
  });
});

test('Debian with nothing to do on data of three days ago: that nothing waits is unknown', async (t) => {
  t.deepEqual(await collect(t, { ...apt(saying('')), ...release('stable') }, days(3)), {
    release: false,
    current: false,
    patches: 'unknown',
    security_patches: 'unknown',
    installed_packages: NAMES,
  });
});

test('updates that old data show are still missing', async (t) => {
  t.like(await collect(t, { ...apt(saying(SECURITY)), ...release('stable') }, days(3)), {
    current: false,
    patches: true,
    security_patches: true,
  });
});

test('Debian without package data: nothing is known, whatever a simulation says', async (t) => {
  t.deepEqual(await collect(t, apt(saying(''))), {
    release: 'unknown',
    current: false,
    patches: 'unknown',
    security_patches: 'unknown',
    installed_packages: NAMES,
  });
});

test('a new package is no update, and an ordinary update is none for security', async (t) => {
  t.like(await collect(t, { ...apt(saying(NEW)), ...release('stable') }), { patches: false, security_patches: false });
  const policy = saying(
    'base-files:\n  Installed: 1\n  Version table:\n     2 500\n        500 http://deb.debian.org/debian bookworm/main amd64 Packages\n *** 1 100\n        100 /var/lib/dpkg/status\n',
  );
  t.like(await collect(t, { ...apt(saying(MAIN), policy), ...release('stable') }), {
    patches: true,
    security_patches: false,
  });
});

test('a simulation that fails is unknown', async (t) => {
  t.like(await collect(t, { ...apt(saying('', 100)), ...release('stable') }), {
    patches: 'unknown',
    security_patches: 'unknown',
  });
});

test('where the policy cannot be asked, whether an update hides one for security is unknown', async (t) => {
  t.like(await collect(t, { ...apt(saying(MAIN)), ...release('stable') }), {
    patches: true,
    security_patches: 'unknown',
  });
});

const SUITES = { stable: false, testing: false, oldstable: true, oldoldstable: true };
for (const [suite, expected] of Object.entries(SUITES)) {
  test(`a Debian whose repository calls itself ${suite}: a new release ${expected ? 'is out' : 'is not'}`, async (t) => {
    t.like(await collect(t, { ...apt(saying('')), ...release(suite) }), { release: expected });
  });
}

test("a repository of another release does not speak for this machine's", async (t) => {
  t.like(await collect(t, { ...apt(saying('')), ...release('stable', 'trixie') }), { release: 'unknown' });
});

const NOTE = '/var/lib/ubuntu-release-upgrader/release-upgrade-available';
const UBUNTU = { ...apt(saying('')), '/etc/os-release': 'ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=jammy\n' };

test("Ubuntu's own note says whether a new release is out", async (t) => {
  t.like(await collect(t, { ...UBUNTU, [NOTE]: "New release '24.04.1 LTS' available.\n" }), { release: true });
  t.like(await collect(t, { ...UBUNTU, [NOTE]: '\n' }), { release: false });
  t.like(await collect(t, UBUNTU), { release: 'unknown' });
});

test('simulations of Ubuntu and of ESM are read as those of Debian', (t) => {
  t.deepEqual(
    parseUpgrades(
      'Inst bash [1] (2 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64])\nInst vim [1] (2 UbuntuESM:22.04/jammy-infra-security [amd64])\nInst less [1] (2 Ubuntu:22.04/jammy-updates [amd64]) [vim:amd64 ]',
    ),
    [
      { name: 'bash', security: true },
      { name: 'vim', security: true },
      { name: 'less', security: false },
    ],
  );
});

test('packages that are removed but for their settings are not installed', (t) => {
  t.deepEqual(parseDpkgStatus(DPKG['/var/lib/dpkg/status']).sort(), NAMES);
});

test('a security update below the newest version is found, one below the installed is not', (t) => {
  const table = (installed: string) =>
    ['3', '2', '1']
      .map((version) => {
        const source =
          version === '2'
            ? '500 http://security.debian.org trixie-security/main'
            : '500 http://deb.debian.org trixie/main';
        return `${version === installed ? ' ***' : '    '} ${version} 500\n        ${source} amd64 Packages`;
      })
      .join('\n');
  t.true(hasHiddenSecurity(`x:\n  Installed: 1\n  Candidate: 3\n  Version table:\n${table('1')}\n`));
  t.false(hasHiddenSecurity(`x:\n  Installed: 2\n  Candidate: 3\n  Version table:\n${table('2')}\n`));
});

const ARCH = { '/etc/os-release': 'NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n' };
const pacman = (program: string) => ({
  ...ARCH,
  '/usr/bin/pacman': program,
  '/var/lib/pacman/local/ALPM_DB_VERSION': '9\n',
  '/var/lib/pacman/local/xorg-server-21.1.13-1/desc': '',
  '/var/lib/pacman/local/bash-5.2.026-2/desc': '',
});
const SYNC = { '/var/lib/pacman/sync/core.db': '' };
const ARCH_NAMES = ['bash', 'xorg-server'];

test('Arch with nothing to do on fresh data', async (t) => {
  t.deepEqual(await collect(t, { ...pacman(saying('', 1)), ...SYNC }), {
    release: false,
    current: true,
    patches: false,
    security_patches: false,
    installed_packages: ARCH_NAMES,
  });
});

test('Arch with updates: which of them are for security is unknown; an ignored one counts', async (t) => {
  t.like(await collect(t, { ...pacman(saying('x 1-1 -> 2-1 [ignored]')), ...SYNC }), {
    patches: true,
    security_patches: 'unknown',
  });
});

test('Arch with nothing to do on old data, or without data, is unknown', async (t) => {
  const expected = { current: false, patches: 'unknown', security_patches: 'unknown' };
  t.like(await collect(t, { ...pacman(saying('', 1)), ...SYNC }, days(3)), expected);
  t.like(await collect(t, pacman(saying('', 1))), expected);
});

test('pacman that complains is not believed', async (t) => {
  const complaint =
    "#!/bin/sh\necho \"warning: database file for 't' does not exist (use '-Sy' to download)\" >&2\nexit 1\n";
  t.like(await collect(t, { ...pacman(complaint), ...SYNC }), { patches: 'unknown', security_patches: 'unknown' });
});

const CACHE = '/var/cache/dnf/updates-73071d1c37cf1c7b/repodata';
const dnf = (program: string, index = '<data type="updateinfo">') => ({
  '/etc/os-release': 'NAME="Fedora Linux"\nID=fedora\n',
  '/etc/yum.repos.d/fedora.repo': '[updates]\nname=x\nenabled=1\n[source]\nenabled=0\n',
  '/usr/bin/dnf': program,
  '/usr/bin/rpm': saying('zsh-5.9-1.noarch\nbash-5.2-1.x86_64\n'),
  [`${CACHE}/repomd.xml`]: index,
  [`${CACHE}/885bfab0-primary.xml.zst`]: '',
  '/var/cache/dnf/stale-0000000000000000/repodata/repomd.xml': '',
});
const FEDORA_NAMES = ['bash-5.2-1.x86_64', 'zsh-5.9-1.noarch'];
const FOR_SECURITY = (status: number) => `#!/bin/sh\ncase "$*" in *--security) exit ${status} ;; *) exit 100 ;; esac\n`;

test('Fedora with nothing to do on fresh data', async (t) => {
  t.deepEqual(await collect(t, dnf(saying(''))), {
    release: 'unknown',
    current: true,
    patches: false,
    security_patches: false,
    installed_packages: FEDORA_NAMES,
  });
});

test('Fedora with updates, of which some or none are for security', async (t) => {
  t.like(await collect(t, dnf(FOR_SECURITY(100))), { patches: true, security_patches: true });
  t.like(await collect(t, dnf(FOR_SECURITY(0))), { patches: true, security_patches: false });
});

test('updates of repositories that give no advice: whether for security is unknown', async (t) => {
  t.like(await collect(t, dnf(FOR_SECURITY(0), '<data type="primary">')), {
    patches: true,
    security_patches: 'unknown',
  });
});

test('dnf that fails, or finds nothing in old data, is unknown', async (t) => {
  t.like(await collect(t, dnf(saying('', 1))), { current: true, patches: 'unknown', security_patches: 'unknown' });
  t.like(await collect(t, dnf(saying('')), days(3)), {
    current: false,
    patches: 'unknown',
    security_patches: 'unknown',
  });
});

test('data of a repository that is switched off do not make the others old', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, dnf(saying('')));
  const stale = join(folder, '/var/cache/dnf/stale-0000000000000000/repodata/repomd.xml');
  await utimes(stale, new Date(0), new Date(0));
  t.like(await osUpdates.collect(hostInFolder(t, folder), memory()), { current: true });
});

test('a repository is on unless it says otherwise, and its data are looked for', async (t) => {
  const with_ = (repo: string) => collect(t, { ...dnf(saying('')), '/etc/yum.repos.d/more.repo': repo });
  t.like(await with_('[main]\ngpgcheck=1\n[a]\nenabled=0\n[b]\nenabled = False\n'), { current: true });
  t.like(await with_('[a]\nname=a\n'), { current: false });
  t.like(await with_('[a]\nenabled = True\n'), { current: false });
});

test('dnf 5: repositories that an override switches off or on are off or on', async (t) => {
  const OWN = '/etc/dnf/repos.override.d/99-config_manager.repo';
  const more = { '/etc/yum.repos.d/more.repo': '[copr:x]\nenabled=1\n[copr:y]\n[gone]\nenabled=0\n' };
  const over = (files: Record<string, string>) => collect(t, { ...dnf(saying('')), ...more, ...files });
  t.like(await over({}), { current: false });
  t.like(await over({ [OWN]: '[copr:x]\nenabled=0\n[copr:y]\nenabled=0\n' }), { current: true });
  t.like(await over({ [OWN]: '[copr:?]\nenabled=0\n' }), { current: true });
  t.like(await over({ [OWN]: '[c*]\nenabled=0\n[gone]\nenabled=1\n' }), { current: false });
  t.like(await over({ [OWN]: '[*]\nenabled=0\n' }), { current: false, patches: 'unknown' });
  const vendor = '/usr/share/dnf5/repos.override.d';
  t.like(await over({ [`${vendor}/10.repo`]: '[copr:*]\nenabled=0\n' }), { current: true });
  const masked = { '/etc/dnf/repos.override.d/10.repo': '' };
  t.like(await over({ [`${vendor}/10.repo`]: '[copr:*]\nenabled=0\n', ...masked }), { current: false });
});

test('a Debian with pacman installed is a Debian', async (t) => {
  t.like(await collect(t, { ...pacman(saying('')), ...apt(saying('')), ...release('stable') }), {
    installed_packages: NAMES,
  });
});

test('a system without any of these package managers is unknown', async (t) => {
  t.is(await collect(t, { '/etc/os-release': 'ID=alpine\n' }), 'unknown');
  t.is(await collect(t, DEBIAN), 'unknown');
});

test("apt's answer is kept for half a day, unless the clock was set back or what was kept cannot be read", async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { ...apt(saying(MAIN), saying('')), ...release('stable') });
  const planted = hostInFolder(t, folder);
  const tools = memory();
  let asked = 0;
  const look = async (age: number) => {
    asked = 0;
    const run: HostAccess['run'] = (path, args, options) => {
      if (args.includes('dist-upgrade')) asked++;
      return planted.run(path, args, options);
    };
    const found = await osUpdates.collect({ ...planted, run, now: () => new Date(Date.now() + age) }, tools);
    t.like(found, { patches: true, security_patches: false });
    return asked;
  };
  t.is(await look(0), 1);
  t.is(await look(hours(11)), 0);
  t.is(await look(hours(12)), 1);
  t.is(await look(-hours(1)), 1);
  for (const value of [{ patches: false }, 'x', null, { of: 1, patches: false, security: 'maybe' }]) {
    for (const key of tools.kept.keys()) tools.kept.set(key, { at: new Date(), value });
    t.is(await look(0), 1, JSON.stringify(value));
  }
});

test('an apt that fails is asked again the next time', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { ...apt(saying('', 100)), ...release('stable') });
  const tools = memory();
  t.like(await osUpdates.collect(hostInFolder(t, folder), tools), { patches: 'unknown' });
  t.is(tools.kept.size, 0);
});

for (const [what, lists, updates, expected] of [
  ['a stable release without its security archive', main('stable'), '', 'unknown'],
  ['an old release without its security archive', main('oldoldstable'), '', 'unknown'],
  ['Ubuntu without its security pocket', { [`${LISTS}_InRelease`]: signed('Ubuntu', 'noble', 'noble') }, '', 'unknown'],
  ['unstable, where there is none, with all updates', main('unstable', 'sid'), '', false],
  ['unstable, with updates', main('unstable', 'sid'), MAIN, 'unknown'],
  ['Kali, with all updates', { [`${LISTS}_InRelease`]: signed('Kali', 'kali-rolling', 'kali-rolling') }, '', false],
  ['stable with its security archive', release('stable'), '', false],
  ['stable with its security archive, and an ordinary update', release('stable'), MAIN, false],
] as const) {
  test(`whether security updates wait: ${what}`, async (t) => {
    t.like(await collect(t, { ...apt(saying(updates), saying('')), ...lists }), { security_patches: expected });
  });
}
