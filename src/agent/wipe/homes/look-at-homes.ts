import { closeSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Mount } from '../../collectors/mounts.ts';
import { holderOf } from '../../collectors/swaps.ts';
import { NOBODY, type People } from '../people.ts';
import { type Home, type HomeFacts, USUAL } from './judge-home.ts';
import { idOf, openPath } from './open-folder.ts';

/** File systems that keep what they hold on disks of this machine, or in its memory. */
const OWN = new Set([
  ...[
    'bcachefs',
    'btrfs',
    'exfat',
    'ext2',
    'ext3',
    'ext4',
    'f2fs',
    'jfs',
    'ntfs3',
    'overlay',
    'ramfs',
    'reiserfs',
    'tmpfs',
  ],
  ...['vfat', 'xfs', 'zfs', 'ecryptfs'],
]);

/** @returns the kind of file system where the path is not on one of this machine's own; it is not looked at for that */
export function awayBy(mounts: readonly Mount[]): (path: string) => string | undefined {
  const places = mounts.map(({ mountpoint, type }) => ({ mountpoint, type, place: undefined }));
  return (path) => {
    const exact = places.find(({ mountpoint }) => mountpoint === path);
    const type = (exact ?? holderOf(path, places))?.type;
    return type === undefined || OWN.has(type) ? undefined : type;
  };
}

/** Every home that an account of a person's names, and what lies beside them in the usual folders and belongs to a number that no account has. @param isSystem of containers */
export function lookAtHomes(
  { persons, known, range }: People,
  mounts: readonly Mount[],
  isSystem: (uid: number) => boolean,
): Home[] {
  const away = awayBy(mounts);
  const homes = new Map<string, Home>();
  const add = (path: string, uid: number) => {
    const home = homes.get(path) ?? { path, facts: lookAt(path, away), of: [] };
    homes.set(path, { ...home, of: [...home.of, uid] });
  };
  for (const { home, uid } of persons) add(home.replace(/(?<=.)\/+$/, ''), uid);
  for (const { name, uid } of persons) {
    // What an encrypted home is kept in.
    const path = join(ECRYPTFS, name);
    if (lookAt(path, away).kind === 'folder') add(path, uid);
  }
  for (const folder of USUAL) {
    if (away(folder) !== undefined) continue;
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      if (homes.has(path)) continue;
      const facts = lookAt(path, away);
      if (facts.kind !== 'folder' || isSystem(facts.owner) || !isForeignPerson(facts.owner, known, range.min)) continue;
      homes.set(path, { path, facts, of: [facts.owner] });
    }
  }
  return [...homes.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

const ECRYPTFS = '/home/.ecryptfs';

/** Somebody of a directory (LDAP), or of an account that was removed: a person's number, and none that services get. */
function isForeignPerson(uid: number, known: ReadonlySet<number>, min: number): boolean {
  const isService = (uid >= 61_184 && uid <= 65_535) || uid === NOBODY;
  return uid >= min && !isService && !known.has(uid);
}

export function lookAt(path: string, away: (path: string) => string | undefined): HomeFacts {
  let type = 'unknown';
  const opened = openPath(path, (walked) => {
    const found = away(walked);
    if (found !== undefined) type = found;
    return found !== undefined;
  });
  if (opened.kind === 'away') return { kind: 'away', type };
  if (opened.kind === 'link') return { kind: 'link', to: opened.to };
  if (opened.kind !== 'folder') return { kind: opened.kind };
  const { folder } = opened;
  closeSync(folder.fd);
  return { kind: 'folder', path: folder.path, owner: folder.stats.uid, id: idOf(folder.stats) };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Of folders that must stay, those that are there: by whatever path a home leads to one, it is known by these. */
export function idsOf(paths: readonly string[], away: (path: string) => string | undefined): Set<string> {
  const ids = paths.flatMap((path) => {
    if (away(path) !== undefined) return [];
    try {
      const stats = statSync(path);
      return stats.isDirectory() ? [idOf(stats)] : [];
    } catch {
      return [];
    }
  });
  return new Set(ids);
}

/** System folders whose contents stay, also where a bind mount shows them below a home. */
export const SYSTEM_FOLDERS = [
  ...['/', '/bin', '/boot', '/boot/efi', '/dev', '/etc', '/home', '/lib', '/lib64', '/media', '/mnt', '/opt', '/proc'],
  ...['/root', '/run', '/sbin', '/srv', '/sys', '/tmp', '/usr', '/usr/bin', '/usr/lib', '/usr/local', '/usr/sbin'],
  ...['/usr/share', '/var', '/var/cache', '/var/home', '/var/lib', '/var/log', '/var/spool', '/var/tmp', '/var/www'],
];
