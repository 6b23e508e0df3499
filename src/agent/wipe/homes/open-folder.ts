import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { hasCode } from '../../has-code.ts';

/**
 * A folder held open. What is done below it goes by this descriptor (`/proc/self/fd/N/NAME` is openat(2) for Node), so that nobody can put
 * another folder, a link or a mount in its place meanwhile.
 */
export interface Folder {
  fd: number;
  /** of the mount that it is on, as the kernel numbers them: differs across bind mounts of one file system, too */
  mount: string;
  stats: Stats;
  /** for people */
  path: string;
}

/** open(2), O_PATH: finds without opening. No automount starts, no device notices; Node has no name for it. */
const O_PATH = 0o10000000;
const FOUND = constants.O_RDONLY | O_PATH | constants.O_NOFOLLOW;
const OPENED = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK;
const OTHERS_WRITE = 0o022;
const MOST_LINKS = 20;

export function below(folder: Pick<Folder, 'fd'>, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), name]);
}

/** The same for a program that we start. */
export function belowForOthers(folder: Pick<Folder, 'fd'>, pid: number, name = '.'): string {
  return `/proc/${pid}/fd/${folder.fd}/${name}`;
}

export function idOf({ dev, ino }: Pick<Stats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

export type Found = { kind: 'folder'; folder: Folder } | { kind: 'missing' | 'link' | 'other' | 'mount' };

/** What has this name in the folder; a folder is opened, but not one that something is mounted on. */
export function openIn(parent: Folder, name: Buffer): Found {
  let fd: number;
  try {
    fd = openSync(below(parent, name), FOUND);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { kind: 'missing' };
    throw error;
  }
  try {
    // Before anything is asked of it: a file system that hangs would let us wait.
    if (mountOf(fd) !== parent.mount) return { kind: 'mount' };
    const stats = fstatSync(fd);
    if (stats.isSymbolicLink()) return { kind: 'link' };
    if (!stats.isDirectory()) return { kind: 'other' };
    return { kind: 'folder', folder: reopened(fd, `${parent.path === '/' ? '' : parent.path}/${name.toString()}`) };
  } finally {
    closeSync(fd);
  }
}

function reopened(found: number, path: string): Folder {
  const fd = openSync(`/proc/self/fd/${found}`, OPENED);
  return { fd, mount: mountOf(fd), stats: fstatSync(fd), path };
}

/** proc_pid_fdinfo(5) */
function mountOf(fd: number): string {
  const id = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  if (id === undefined) throw new Error('cannot tell mounts apart: /proc does not say which one a folder is on');
  return id;
}

export type OpenedPath =
  | { kind: 'folder'; folder: Folder }
  | { kind: 'missing' | 'other' | 'away' | 'untrusted' }
  | { kind: 'link'; to: string };

/**
 * Opens a folder by its path, one name after the other. Links on the way count only where nobody but root can have put them there; the last
 * name is never followed. Mounts are entered.
 * @param isAway whether a path lies on a file system that is not this machine's: it is not even looked at
 */
export function openPath(path: string, isAway: (path: string) => boolean): OpenedPath {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (!path.startsWith('/') || names.includes('..') || path.includes('\0')) return { kind: 'untrusted' };
  let at = openSync('/', FOUND);
  let walked = '';
  let links = 0;
  try {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      if (isAway(`${walked}/${name}`)) return { kind: 'away' };
      const next = openNext(at, name);
      if (next === undefined) return { kind: 'missing' };
      const [stats, holder] = [fstatSync(next), fstatSync(at)];
      if (stats.isSymbolicLink()) {
        closeSync(next);
        const target = readlinkSync(`/proc/self/fd/${at}/${name}`);
        if (names.length === 0) return { kind: 'link', to: target };
        const rootsAlone = stats.uid === 0 && holder.uid === 0 && (holder.mode & OTHERS_WRITE) === 0;
        if (!rootsAlone || ++links > MOST_LINKS) return { kind: 'untrusted' };
        names.unshift(...resolveLink(walked, target));
        closeSync(at);
        at = openSync('/', FOUND);
        walked = '';
        continue;
      }
      closeSync(at);
      at = next;
      walked += `/${name}`;
      if (!stats.isDirectory()) return { kind: 'other' };
    }
    return { kind: 'folder', folder: reopened(at, walked === '' ? '/' : walked) };
  } finally {
    closeSync(at);
  }
}

function openNext(at: number, name: string): number | undefined {
  try {
    return openSync(`/proc/self/fd/${at}/${name}`, FOUND);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The names of the whole path that a link at `folder` leads to. No name of `folder` is a link: `..` is the one before. */
function resolveLink(folder: string, target: string): string[] {
  const names = target.startsWith('/') ? [] : folder.split('/').filter((name) => name !== '');
  for (const name of target.split('/')) {
    if (name === '' || name === '.') continue;
    if (name === '..') names.pop();
    else names.push(name);
  }
  return names;
}
