import { closeSync, mkdirSync, readFileSync } from 'node:fs';
import { seconds } from '../../../core/duration.ts';
import { type Mount, parseMounts } from '../../collectors/mounts.ts';
import { ownersOf, type Person, subordinateRanges } from '../people.ts';
import type { Work } from '../plan.ts';
import { type RunTool, whyFailed } from '../tools.ts';
import { endProcesses, endSessions } from './end-processes.ts';
import { awayBy } from './look-at-homes.ts';
import { openPath } from './open-folder.ts';
import type { DoomedHome, HomesFacts, HomesPlan } from './plan-homes.ts';
import { releaseWith } from './release-protection.ts';
import { removeBelongings, removeJobs } from './remove-belongings.ts';
import { removeFromSnapshots } from './remove-snapshots.ts';
import { emptyFolder, newRemoving, type Removing, removeName } from './remove-tree.ts';
import { shutOut } from './shut-out.ts';
import { uncoverHomes } from './uncover-homes.ts';

/**
 * Does what the plan says. Every step may be done again after a crash; accounts go last, so that the next run still knows whose is whose.
 * @returns what could not be done
 */
export async function wipeHomes(plan: HomesPlan, facts: HomesFacts, { run, folder, step }: Work): Promise<string[]> {
  const { persons } = plan;
  const homes = [...plan.homes];
  const removing = newRemoving({ keep: facts.keep, release: releaseWith(run) });
  const belonging = { removing, isAway: (path: string) => awayBy(facts.mounts)(path) !== undefined };
  const uids = [...persons.map(({ uid }) => uid), ...homes.flatMap(({ of }) => of)];
  const isTheirs = ownersOf(uids, subordinateRanges(facts.subuid, persons, facts.people.known));
  const not: string[] = [];
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  const letIn = await shutOut(persons, run);
  try {
    await removeJobs(persons, isTheirs, belonging);
    not.push(...(await endThem(persons, uids, isTheirs, run, step)));
    const uncovered = await uncoverHomes(plan.covered, facts, run);
    homes.push(...uncovered.homes);
    not.push(...uncovered.not);
    // Before the homes themselves: by these the next run knows what to look for.
    const copies = [...homes, ...plan.gone].map(({ path, of }) => ({ path, isOwner: ownersOf(of, []) }));
    const snapshots = await removeFromSnapshots(copies, { run, mounts: facts.mounts, folder, removing });
    for (const sentence of snapshots.did) await step(sentence);
    not.push(...snapshots.not);
    for (const home of homes) await removeHome(home, removing, { run, step });
    await removeBelongings(persons, isTheirs, belonging);
    await step(`removed ${removing.removed} files and folders in all`);
    for (const person of persons) {
      const failed = await removeAccount(person, run);
      if (failed === undefined) await step(`removed the account ${person.name}`);
      else not.push(`the account ${person.name} is still there: ${failed}`);
    }
  } finally {
    letIn();
  }
  await run('sync', []);
  not.push(...[...removing.left].map(([path, why]) => `${path} is still there: ${why}`));
  if (removing.moreLeft > 0) not.push(`${removing.moreLeft} more are still there`);
  return not;
}

async function endThem(
  persons: readonly Person[],
  uids: readonly number[],
  isTheirs: (uid: number) => boolean,
  run: RunTool,
  step: Work['step'],
): Promise<string[]> {
  await endSessions(
    run,
    persons.map(({ name }) => name),
    uids,
  );
  const { left, stopped } = await endProcesses({ run, isTheirs });
  for (const unit of stopped) await step(`stopped ${unit}, which runs as one of these users`);
  await step('ended the sessions and processes of these users');
  return left === 0 ? [] : [`${left} processes of these users could not be ended`];
}

async function removeHome(
  { path }: DoomedHome,
  removing: Removing,
  { run, step }: Pick<Work, 'run' | 'step'>,
): Promise<void> {
  const mounts = parseMounts(textOf('/proc/self/mountinfo'));
  for (const { mountpoint } of inside(path, mounts)) {
    const { code } = await run('umount', ['-l', '--', mountpoint], { timeout: seconds(20) });
    if (code === 0) await step(`unmounted ${mountpoint}; what is in it stays`);
  }
  const away = awayBy(mounts);
  const opened = openPath(path, (walked) => away(walked) !== undefined);
  if (opened.kind !== 'folder') return;
  const before = removing.removed;
  const { folder } = opened;
  try {
    // By whatever way it changed since it was judged.
    if (folder.path !== path || removing.keep.has(`${folder.stats.dev}:${folder.stats.ino}`)) {
      removing.left.set(path, 'it is another folder by now');
      return;
    }
    await emptyFolder(folder, removing);
  } finally {
    closeSync(folder.fd);
  }
  const isMounted = mounts.some(({ mountpoint }) => mountpoint === path);
  const isGone = !isMounted && (await removeItself(path, removing));
  const count = `${removing.removed - before} files and folders`;
  await step(isGone ? `removed the home ${path} (${count})` : `removed what could be removed in ${path} (${count})`);
}

/** Deepest first. */
function inside(path: string, mounts: readonly Mount[]): Mount[] {
  return mounts
    .filter(({ mountpoint }) => mountpoint.startsWith(`${path}/`))
    .sort((a, b) => b.mountpoint.length - a.mountpoint.length);
}

async function removeItself(path: string, removing: Removing): Promise<boolean> {
  const at = path.lastIndexOf('/');
  const parent = openPath(at === 0 ? '/' : path.slice(0, at), () => false);
  if (parent.kind !== 'folder') return false;
  try {
    return await removeName(parent.folder, Buffer.from(path.slice(at + 1)), removing);
  } finally {
    closeSync(parent.folder.fd);
  }
}

/** @returns why it is still there */
async function removeAccount({ name }: Person, run: RunTool): Promise<string | undefined> {
  // Without -r: files are our business. -f where something of theirs still runs.
  const gone = await run('userdel', ['--', name]);
  if (gone.code === 0 || gone.code === 6) return undefined;
  const forced = await run('userdel', ['-f', '--', name]);
  return forced.code === 0 || forced.code === 6 ? undefined : whyFailed('userdel', forced);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
