import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finish } from './finish.ts';

export type Suite = 'trixie' | 'bookworm';
/** `firewalls` has firewalld, which starts by itself, and systemd-resolved. */
export type Variant = 'plain' | 'firewalls';

/** What a machine of ours has beside a minimal Debian: the programs' runtime, and the things that collectors look at. */
const PACKAGES = [
  'ca-certificates',
  'chrony',
  'dbus',
  'dbus-user-session',
  'iproute2',
  'iptables',
  'libglib2.0-bin',
  'nftables',
  'nodejs',
  'openssh-server',
  'procps',
  'python3',
  'sudo',
  'systemd',
  'systemd-sysv',
  'ufw',
  'unattended-upgrades',
];
/** What the test's own mongod is linked against; the package was renamed for Debian 13. */
const LIBCURL: Record<Suite, string> = { trixie: 'libcurl4t64', bookworm: 'libcurl4' };

const MORE: Record<Variant, string[]> = { plain: [], firewalls: ['firewalld', 'systemd-resolved'] };

/** Files made while the lock is held; only a complete tree gets its name. Two test files may ask at the same time. */
const BUILD = `
  set -eu
  [ -d "$1" ] && exit 0
  rm -rf "$1.part"
  mmdebstrap --quiet --variant=minbase --include="$2" "$3" "$1.part" -
  : >"$1.part/etc/hostname"
  mv "$1.part" "$1"
`;

/**
 * A Debian root file system, shared by all machines and never written to: built once, then kept in `.cache/rootfs`
 * (remove that folder to build it anew).
 * @returns its absolute path
 */
export async function rootfs(suite: Suite, variant: Variant = 'plain'): Promise<string> {
  const packages = [...PACKAGES, LIBCURL[suite], ...MORE[variant]].join(',');
  const sources = await sourcesFor(suite);
  const recipe = createHash('sha256')
    .update(JSON.stringify([packages, sources, BUILD]))
    .digest('hex')
    .slice(0, 12);
  const dir = join(process.cwd(), '.cache/rootfs');
  const path = join(dir, `${variant === 'plain' ? '' : `${variant}-`}${suite}-${recipe}`);
  await mkdir(dir, { recursive: true });
  const args = [`${path}.lock`, 'sh', '-c', BUILD, 'sh', path, packages, suite];
  const { status, stderr } = await finish('flock', args, { input: sources });
  if (status !== 0) throw new Error(`cannot build a root file system of ${suite}:\n${stderr}`);
  return path;
}

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
