import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finish } from './finish.ts';

export type Suite = 'trixie' | 'bookworm';
/**
 * What is installed: `server` is what most tests need; `acme` has certbot besides; `firewalls` has firewalld, which starts by itself, and systemd-resolved besides;
 * `lists` has the package managers of other distributions; `desktop` the settings, tools and idle daemons of desktops, on Debian 13.
 */
export type Variant = 'server' | 'acme' | 'firewalls' | 'desktop' | 'lists';

/** What a machine of ours has beside a minimal Debian: the programs' runtime, and the things that collectors look at. */
const PACKAGES = [
  // autopkgtest's own
  'apt-utils',
  'ca-certificates',
  'chrony',
  'dbus',
  'dbus-user-session',
  'gpg',
  'iproute2',
  'iptables',
  'libglib2.0-bin',
  'nftables',
  'nodejs',
  'openssh-server',
  'procps',
  'python3',
  // what the role for MongoDB asks its members with, and installs: machines of tests reach no mirror
  'python3-pymongo',
  'sudo',
  'systemd',
  'systemd-sysv',
  'ufw',
  'unattended-upgrades',
];
/** Desktops' settings and what reads them, without the desktops; two display servers that need no screen; idle daemons and lockers. */
const DESKTOP_PACKAGES = [
  'ca-certificates',
  'cinnamon-desktop-data',
  'dbus',
  'dbus-user-session',
  'dconf-cli',
  'dconf-gsettings-backend',
  'gsettings-desktop-schemas',
  'i3-wm',
  'i3lock',
  'iproute2',
  'libglib2.0-bin',
  'libkf6config-bin',
  'libpam-systemd',
  // xfconf needs it, and does not say so
  'libxfconf-0-3',
  'login',
  'mate-desktop-common',
  'mate-screensaver-common',
  'nodejs',
  'procps',
  'sway',
  'swayidle',
  'swaylock',
  'systemd',
  'systemd-sysv',
  'x11-xserver-utils',
  'xfconf',
  'xss-lock',
  'xvfb',
];
/** What the test's own mongod is linked against; the package was renamed for Debian 13. */
const LIBCURL: Record<Suite, string> = { trixie: 'libcurl4t64', bookworm: 'libcurl4' };

const LISTS_PACKAGES = [
  'ca-certificates',
  'curl',
  'dbus',
  'dnf',
  'iproute2',
  // pacman's tools need these two, and do not say so: repo-add, pacman-key
  'libarchive-tools',
  'makepkg',
  'nodejs',
  'pacman-package-manager',
  'procps',
  'rpm',
  'systemd',
  'systemd-sysv',
];

const FIREWALL_PACKAGES = ['firewalld', 'systemd-resolved'];

/** Files made while the lock is held; only a complete tree gets its name. Two test files may ask at the same time. */
const BUILD = `
  set -eu
  [ -d "$1" ] && exit 0
  rm -rf "$1.part"
  mmdebstrap --quiet --variant=minbase --include="$2" "$3" "$1.part" -
  : >"$1.part/etc/hostname"
  mv "$1.part" "$1"
`;

/** Of these only the schemas of their settings: whole they would be desktops. */
const DESKTOP_BUILD = BUILD.replace(
  'mmdebstrap',
  `mmdebstrap --customize-hook='
    cd "$1/root" && chroot "$1" sh -c "cd /root && apt-get -qq download mate-session-manager light-locker"
    for deb in *.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$1" --wildcards "*.gschema.xml"; done
    rm -f -- *.deb
    chroot "$1" glib-compile-schemas /usr/share/glib-2.0/schemas
  '`,
);

/**
 * A Debian root file system, shared by all machines and never written to: built once, then kept in `.cache/rootfs`
 * (remove that folder to build it anew).
 * @returns its absolute path
 */
export async function rootfs(suite: Suite, variant: Variant = 'server'): Promise<string> {
  const { packages, build, name } = RECIPES[variant](suite);
  const sources = await sourcesFor(suite);
  const recipe = createHash('sha256')
    .update(JSON.stringify([packages, sources, build]))
    .digest('hex')
    .slice(0, 12);
  const dir = join(process.cwd(), '.cache/rootfs');
  const path = join(dir, `${name}-${recipe}`);
  await mkdir(dir, { recursive: true });
  const args = [`${path}.lock`, 'sh', '-c', build, 'sh', path, packages, suite];
  const { status, stderr } = await finish('flock', args, { input: sources });
  if (status !== 0) throw new Error(`cannot build a root file system of ${suite}:\n${stderr}`);
  return path;
}

interface Recipe {
  name: string;
  packages: string;
  build: string;
}

const RECIPES: Record<Variant, (suite: Suite) => Recipe> = {
  server: (suite) => ({ name: suite, packages: [...PACKAGES, LIBCURL[suite]].join(','), build: BUILD }),
  acme: (suite) => ({
    name: `${suite}-acme`,
    packages: [...PACKAGES, LIBCURL[suite], 'certbot'].join(','),
    build: BUILD,
  }),
  firewalls: (suite) => ({
    name: `${suite}-firewalls`,
    packages: [...PACKAGES, LIBCURL[suite], ...FIREWALL_PACKAGES].join(','),
    build: BUILD,
  }),
  lists: (suite) => ({ name: `${suite}-lists`, packages: LISTS_PACKAGES.join(','), build: BUILD }),
  desktop: (suite) => ({ name: `${suite}-desktop`, packages: DESKTOP_PACKAGES.join(','), build: DESKTOP_BUILD }),
};

/** The three suites of a release, from the mirrors that this machine's own apt uses. */
export async function sourcesFor(suite: Suite): Promise<string> {
  const mirrors = await mirrorsOfHost();
  const security = mirrors.find((url) => /security/.test(url));
  const main = mirrors.find((url) => url !== security) ?? 'http://deb.debian.org/debian';
  return [
    `deb ${main} ${suite} main`,
    `deb ${main} ${suite}-updates main`,
    ...(security === undefined ? [] : [`deb ${security} ${suite}-security main`]),
    '',
  ].join('\n');
}

async function mirrorsOfHost(): Promise<string[]> {
  const parts = '/etc/apt/sources.list.d';
  const files = (await readdir(parts).catch(() => [])).sort().map((name) => join(parts, name));
  const texts = await Promise.all(
    [...files, '/etc/apt/sources.list'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const debian = /^(?:URIs:|deb)\s+(?:\[.*?\]\s+)?(\S+\/debian(?:-security)?)\/?(?:\s|$)/gm;
  return texts.flatMap((text) => [...text.matchAll(debian)].flatMap((match) => match[1] ?? []));
}
