import { closeSync, lstatSync } from 'node:fs';
import { hasCode } from '../../has-code.ts';
import type { Person } from '../people.ts';
import { below, type Folder, openPath } from './open-folder.ts';
import { removeOwned } from './remove-owned.ts';
import { type Removing, removeName } from './remove-tree.ts';

/** Where mail, crontabs and what desktops keep of accounts lie under the name of each: Debian's, Red Hat's and Arch's ways. */
const BY_NAME = [
  ...['/var/mail', '/var/spool/mail', '/var/spool/cron/crontabs', '/var/spool/cron', '/var/spool/cron/tabs'],
  ...['/var/lib/systemd/linger', '/var/lib/AccountsService/users', '/var/lib/AccountsService/icons'],
  ...['/var/lib/lightdm-data', '/var/db/sudo/ts', '/var/lib/sudo/ts', '/run/sudo/ts'],
];
/** Where jobs are that run by themselves, by owner. */
const JOBS = ['/var/spool/cron', '/var/spool/at', '/var/spool/atjobs'];
/** Where all may write. */
const BY_OWNER = [
  '/dev/shm',
  '/run/lock',
  '/tmp',
  '/var/crash',
  '/var/lib/systemd/coredump',
  '/var/spool/cups',
  '/var/tmp',
];

export interface Belonging {
  isAway: (path: string) => boolean;
  removing: Removing;
}

/** What would start again by itself: at jobs and crontabs. */
export async function removeJobs(
  persons: readonly Person[],
  isTheirs: (uid: number) => boolean,
  belonging: Belonging,
): Promise<void> {
  for (const folder of BY_NAME.filter((path) => path.includes('/cron'))) await removeNamed(folder, persons, belonging);
  for (const folder of JOBS) await removeTheirs(folder, isTheirs, belonging);
}

/** Mail, settings that services keep of accounts, and files of theirs in the folders that all may write to. */
export async function removeBelongings(
  persons: readonly Person[],
  isTheirs: (uid: number) => boolean,
  belonging: Belonging,
): Promise<void> {
  for (const folder of BY_NAME) await removeNamed(folder, persons, belonging);
  for (const folder of BY_OWNER) await removeTheirs(folder, isTheirs, belonging);
}

async function removeNamed(path: string, persons: readonly Person[], belonging: Belonging): Promise<void> {
  await within(path, belonging, async (folder) => {
    for (const { name, uid } of persons) {
      if (isTheirOwn(folder, name, uid)) await removeName(folder, Buffer.from(name), belonging.removing);
    }
  });
}

/** Somebody may be called `crontabs`: a folder counts by its owner only. */
function isTheirOwn(folder: Folder, name: string, uid: number): boolean {
  try {
    const stats = lstatSync(below(folder, Buffer.from(name)));
    return !stats.isDirectory() || stats.uid === uid;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function removeTheirs(path: string, isTheirs: (uid: number) => boolean, belonging: Belonging): Promise<void> {
  await within(path, belonging, (folder) => removeOwned(folder, isTheirs, belonging.removing));
}

async function within(path: string, { isAway }: Belonging, work: (folder: Folder) => Promise<void>): Promise<void> {
  const opened = openPath(path, isAway);
  if (opened.kind !== 'folder') return;
  try {
    await work(opened.folder);
  } finally {
    closeSync(opened.folder.fd);
  }
}
