import test from 'ava';
import { parseNeedsRestarting } from '../../../../src/agent/collectors/boot/needs-restarting.ts';
import { rebootRequired } from '../../../../src/agent/collectors/boot/reboot-required.ts';
import { isFields } from '../../../../src/core/value.ts';
import { tellOf } from '../fact.ts';
import { memory, saying } from '../host-in-folder.ts';

const DEBIAN = { '/etc/os-release': 'ID=debian\n' };
const FEDORA = { '/etc/os-release': 'ID=fedora\n' };
const ARCH = { '/etc/os-release': 'ID=arch\n' };

const images = (...releases: string[]) =>
  Object.fromEntries(releases.map((release) => [`/boot/vmlinuz-${release}`, '']));
const modules = (...releases: string[]) =>
  Object.fromEntries(releases.map((release) => [`/usr/lib/modules/${release}/vmlinuz`, '']));
const runs = (release: string) => ({ release: () => release });

const R18 = '6.1.0-18-amd64';
const R21 = '6.1.0-21-amd64';
const F4 = '6.11.4-301.fc41.x86_64';
const F5 = '6.11.5-300.fc41.x86_64';

test('Debian: the newest kernel runs', async (t) => {
  t.deepEqual((await tellOf(t, rebootRequired, { ...DEBIAN, ...images(R18, '6.1.0-9-amd64') }, runs(R18))).value, {
    required: false,
    because: [],
    running: R18,
    newest: R18,
  });
});

test('Debian: a newer one is installed', async (t) => {
  t.deepEqual((await tellOf(t, rebootRequired, { ...DEBIAN, ...images(R18, R21) }, runs(R18))).value, {
    required: true,
    because: ['kernel'],
    running: R18,
    newest: R21,
  });
});

test('Debian: the one that runs was removed, and a newer one is there', async (t) => {
  t.like((await tellOf(t, rebootRequired, { ...DEBIAN, ...images(R21) }, runs(R18))).value, { required: true });
});

test('Debian: a newer one of another flavour, old copies, and folders of modules that were left behind do not count', async (t) => {
  const { value } = await tellOf(
    t,
    rebootRequired,
    {
      ...DEBIAN,
      ...images(R18, '6.8.0-1-cloud-amd64', `${R21}.old`, `${R21}.dpkg-bak`),
      '/boot/vmlinuz-0-rescue-0a1b2c': '',
      '/boot/config-6.1.0-21-amd64': '',
      '/usr/lib/modules/6.1.0-25-amd64/updates/dkms/x.ko': '',
    },
    runs(R18),
  );
  t.like(value, { required: false, newest: R18 });
});

test("the copies that `make install` keeps of kernels of one's own do not count", async (t) => {
  const files = { ...DEBIAN, ...images('6.9.1', '6.9.2.old') };
  t.like((await tellOf(t, rebootRequired, files, runs('6.9.1'))).value, { required: false, newest: '6.9.1' });
});

const built = (version: string) =>
  `Linux version ${R18} (debian-kernel@lists.debian.org) (gcc-12) #1 SMP PREEMPT_DYNAMIC Debian ${version} (2024-02-01)\n`;
const status = (version: string) =>
  `Package: linux-image-amd64\nVersion: 9\n\nPackage: linux-image-${R18}\nStatus: install ok installed\nVersion: ${version}\n\nPackage: linux-libc-dev\nVersion: 8\n`;

test('Debian: the kernel was built anew under the same release', async (t) => {
  const files = { ...DEBIAN, ...images(R18), '/proc/version': built('6.1.76-1') };
  const tell = async (version: string) =>
    (await tellOf(t, rebootRequired, { ...files, '/var/lib/dpkg/status': status(version) }, runs(R18))).value;
  t.like(await tell('6.1.76-1'), { required: false });
  t.like(await tell('6.1.76-1+b1'), { required: false });
  t.like(await tell('6.1.90-1'), { required: true, because: ['kernel'] });
  t.like((await tellOf(t, rebootRequired, files, runs(R18))).value, { required: false });
});

test('Debian and Ubuntu: packages ask for a restart, also where no kernel is to be seen', async (t) => {
  const asked = { '/run/reboot-required': '*** System restart required ***\n', '/run/reboot-required.pkgs': 'libc6\n' };
  const { value } = await tellOf(t, rebootRequired, { ...DEBIAN, ...images(R18), ...asked }, runs(R18));
  t.like(value, { required: true, because: ['packages'] });
  t.like((await tellOf(t, rebootRequired, { ...DEBIAN, ...asked }, runs(R18))).value, { required: true });
});

test('a kernel from outside, with another one installed: unknown', async (t) => {
  const told = await tellOf(t, rebootRequired, { ...DEBIAN, ...images(R18) }, runs('6.18.44'));
  t.like(told.value, { required: 'unknown', because: [] });
  t.deepEqual(told.reasons, {
    'reboot_required.required': 'none of the installed kernels is like the one that runs',
  });
});

test('a container without a kernel has nothing to restart', async (t) => {
  t.is((await tellOf(t, rebootRequired, DEBIAN, runs(R18))).value, undefined);
  t.is((await tellOf(t, rebootRequired, ARCH, runs(R18))).value, undefined);
});

test('Arch: pacman has taken away the modules of the kernel that runs', async (t) => {
  const tell = async (...releases: string[]) =>
    (await tellOf(t, rebootRequired, { ...ARCH, ...modules(...releases) }, runs('6.9.1-arch1-1'))).value;
  t.deepEqual(await tell('6.9.2-arch1-1', '6.6.30-1-lts'), {
    required: true,
    because: ['kernel'],
    running: '6.9.1-arch1-1',
    newest: '6.9.2-arch1-1',
  });
  t.like(await tell('6.9.1-arch1-1', '6.10.1-zen1-1'), { required: false, newest: '6.9.1-arch1-1' });
});

test("Arch: modules that a hook keeps for the running kernel are not the package's", async (t) => {
  const kept = { '/usr/lib/modules/6.9.1-arch1-1/kernel/fs/ext4.ko.zst': '' };
  const { value } = await tellOf(
    t,
    rebootRequired,
    { ...ARCH, ...modules('6.9.2-arch1-1'), ...kept },
    runs('6.9.1-arch1-1'),
  );
  t.like(value, { required: true });
});

const NO = 'No core libraries or services have been updated since boot-up.\nReboot should not be necessary.\n';
const YES =
  'Core libraries or services have been updated since boot-up:\n  * glibc\n\nReboot is required to fully utilize these updates.\nMore information: https://access.redhat.com/solutions/27943\n';

test('Fedora: by the kernels, and by what dnf says of packages', async (t) => {
  const tell = async (dnf: string, ...kernels: string[]) =>
    (await tellOf(t, rebootRequired, { ...FEDORA, ...modules(...kernels), '/usr/bin/dnf': dnf }, runs(F4))).value;
  t.like(await tell(saying(NO), F4), { required: false });
  t.like(await tell(saying(YES, 1), F4), { required: true, because: ['packages'] });
  t.like(await tell(saying(YES, 1), F4, F5), { required: true, because: ['kernel', 'packages'], newest: F5 });
});

test('Fedora: a dnf without the command ends with status 1 too, and that is unknown, unless a newer kernel decides', async (t) => {
  const files = {
    ...FEDORA,
    '/usr/bin/dnf': saying('No such command: needs-restarting. Please use /usr/bin/dnf --help', 1),
  };
  const told = await tellOf(t, rebootRequired, { ...files, ...modules(F4) }, runs(F4));
  t.like(told.value, { required: 'unknown' });
  t.like(told.reasons, {
    'reboot_required.required': 'dnf needs-restarting does not say (it is part of dnf-plugins-core, or yum-utils)',
  });
  t.like((await tellOf(t, rebootRequired, { ...files, ...modules(F4, F5) }, runs(F4))).value, { required: true });
});

test('Fedora: dnf is asked again only after a start or a change of packages', async (t) => {
  const tools = memory();
  const tell = async (dnf: string, boot: string) => {
    const files = {
      ...FEDORA,
      ...modules(F4),
      '/usr/bin/dnf': dnf,
      '/proc/sys/kernel/random/boot_id': `${boot}\n`,
      '/usr/lib/sysimage/rpm/rpmdb.sqlite': '',
    };
    const host = { ...runs(F4), stat: unchanged };
    const { value } = await tellOf(t, rebootRequired, files, host, tools);
    return isFields(value) ? value['required'] : undefined;
  };
  t.is(await tell(saying(YES, 1), 'one'), true);
  t.is(await tell(saying(NO), 'one'), true);
  t.is(await tell(saying(NO), 'two'), false);
});

/** The database of packages, and a kernel, as they were. */
const unchanged = async (path: string) =>
  path.includes('rpmdb.sqlite') || path.includes(F4)
    ? ({ id: '1:1', kind: 'file', size: 1, mode: 0o644, uid: 0, modified: new Date(0), changed: new Date(0) } as const)
    : undefined;

test('what dnf prints otherwise says nothing', (t) => {
  for (const text of ['', 'Reboot is', `${YES.slice(0, 70)}`, '\0\uFFFD', '  Reboot should not be necessary.']) {
    t.is(parseNeedsRestarting(text), undefined);
  }
});
