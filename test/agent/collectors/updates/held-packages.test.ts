import test from 'ava';
import { parseDpkgPackages } from '../../../../src/agent/collectors/parse-dpkg-status.ts';
import { saying } from '../host-in-folder.ts';
import { ARCH, DEBIAN, FEDORA, factOf, told } from './machine.ts';

const stanza = (name: string, status: string) =>
  `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nVersion: 1-1\nDescription: x\n`;

test('dpkg holds packages that are there, and not those of which only settings are left', async (t) => {
  const status = [
    stanza('zsh', 'hold ok installed'),
    stanza('bash', 'install ok installed'),
    stanza('linux-image-amd64', 'hold ok half-configured'),
    stanza('gone', 'hold ok config-files'),
    stanza('never', 'hold ok not-installed'),
  ].join('\n');
  t.deepEqual(await factOf(t, 'held_packages', { ...DEBIAN, '/var/lib/dpkg/status': status }), [
    'linux-image-amd64',
    'zsh',
  ]);
});

test('without a status file it is unknown, and not that nothing is held', async (t) => {
  t.is(await factOf(t, 'held_packages', DEBIAN), 'unknown');
});

test('a status file that is cut off, binary or not UTF-8 is read as far as it makes sense', (t) => {
  const whole = stanza('bash', 'hold ok installed');
  t.deepEqual(
    parseDpkgPackages(`${whole}\nPackage: zsh\nStatus: hold ok ins`).map(({ name }) => name),
    ['bash'],
  );
  t.deepEqual(parseDpkgPackages('\u0000\u0001\ufffd\n\n\n\n\ufffd'), []);
  t.deepEqual(parseDpkgPackages(`Package: a b\nStatus: hold\n\n${'x'.repeat(1_000_000)}\n\n${whole}`).length, 1);
});

test("both generations of dnf's versionlock plugin, and what its settings exclude, count", async (t) => {
  const files = {
    '/etc/dnf/plugins/versionlock.list':
      '# Added lock on Mon Jan  5 2026\nbash-0:5.2.15-1.fc38.*\n\n!zsh-0:5.9-1.fc38.*\n',
    '/etc/dnf/versionlock.toml':
      'version = "1.0"\n\n[[packages]]\nname = "vim-enhanced"\ncomment = "x"\n[[packages.conditions]]\nkey = "evr"\nname = "no package"\ncomparator = "="\nvalue = "9.1"\n',
    '/etc/dnf/dnf.conf': '[main]\ngpgcheck=1\nexcludepkgs=kernel*, kmod-*\n  nvidia-*\n[other]\nexclude=nothing\n',
  };
  t.deepEqual(await factOf(t, 'held_packages', { ...FEDORA, ...files }), [
    '!zsh-0:5.9-1.fc38.*',
    'bash-0:5.2.15-1.fc38.*',
    'kernel*',
    'kmod-*',
    'nvidia-*',
    'vim-enhanced',
  ]);
  t.deepEqual(await factOf(t, 'held_packages', FEDORA), []);
});

test('pacman ignores packages and groups', async (t) => {
  // pacman-conf of pacman 6.0.2
  const conf =
    '[options]\nRootDir = /\nDBPath = /var/lib/pacman/\nIgnorePkg = linux\nIgnorePkg = glibc\nIgnoreGroup = gnome\nColor\n[core]\nServer = https://x/\nIgnorePkg = not-here\n';
  t.deepEqual(await factOf(t, 'held_packages', { ...ARCH, '/usr/bin/pacman-conf': saying(conf) }), [
    'glibc',
    'group gnome',
    'linux',
  ]);
  t.like(await told(t, { ...ARCH, '/usr/bin/pacman-conf': saying('', 1) }), {
    held_packages: 'unknown',
    reasons: { held_packages: 'pacman-conf does not answer' },
  });
});
