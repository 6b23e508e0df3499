import type { Mount } from '../../collectors/mounts.ts';
import type { People, Person } from '../people.ts';
import type { Plan } from '../plan.ts';
import { type Home, judgeHome } from './judge-home.ts';
import { onBtrfs } from './remove-snapshots.ts';
import { coveredHomes } from './uncover-homes.ts';

export interface HomesFacts {
  people: People;
  homes: readonly Home[];
  /** `DEV:INODE` of folders that stay */
  keep: ReadonlySet<string>;
  mounts: readonly Mount[];
  /** /etc/subuid */
  subuid: string;
  /** names of accounts of systemd-homed */
  homed: readonly string[];
}

/** A home that is going to be removed. */
export interface DoomedHome {
  /** without links */
  path: string;
  /** as the account names it */
  named: string;
  of: number[];
}

export interface HomesPlan extends Plan {
  persons: Person[];
  homes: DoomedHome[];
  /** over which their owners have mounted something */
  covered: Home[];
  /** that are not there any more: snapshots may hold them */
  gone: DoomedHome[];
}

const OUT_OF_REACH = [
  'files of theirs in other places (/srv, /opt, databases, containers), and backups and copies elsewhere',
  'what a disk still holds of removed files until it is written over, swap and hibernation included, unless it is encrypted (crypto-erase)',
  'traces in the system’s journal and logs',
];

/** Pure: facts to sentences and lists. */
export function planHomes({ people, homes, keep, mounts, homed }: HomesFacts): HomesPlan {
  const { persons, left } = people;
  const doomed: DoomedHome[] = [];
  const cannot: string[] = [];
  const covered = coveredHomes(homes, mounts);
  for (const home of homes) {
    if (covered.includes(home)) continue;
    const verdict = judgeHome(home, { persons: withForeign(persons, homes, people), keep });
    if (verdict.remove) doomed.push({ path: verdict.path, named: home.path, of: home.of });
    else if (home.facts.kind !== 'missing') cannot.push(`the home ${home.path} stays: ${verdict.why}`);
  }
  const gone = homes.flatMap(({ path, facts, of }) => (facts.kind === 'missing' ? [{ path, named: path, of }] : []));
  const names = persons.map(({ name, uid }) => `${name} (${uid})`);
  const will = [
    ...(names.length === 0 ? [] : [`lock the accounts ${names.join(', ')}, and end their sessions and processes`]),
    ...doomed.flatMap((home) => describe(home, mounts, people)),
    ...covered.map(({ path }) => `remove the home ${path}, once what its owner has mounted over it is unmounted`),
    ...gone
      .filter(({ path }) => onBtrfs(path, mounts) !== undefined)
      .map(({ path }) => `remove what snapshots on this disk hold of ${path}, which is not there any more`),
    ...(names.length === 0
      ? []
      : [
          'remove their mail, crontabs and at jobs, and files of theirs in /tmp, /var/tmp and /dev/shm',
          `remove the accounts ${persons.map(({ name }) => name).join(', ')}`,
        ]),
  ];
  cannot.push(
    ...left.map(({ name, why }) => `the account ${name} stays: ${why}`),
    ...homed.map((name) => `the account ${name} of systemd-homed stays: homectl has to remove it`),
    ...OUT_OF_REACH,
  );
  return { method: 'homes', will, cannot, persons, homes: doomed, covered, gone };
}

/** Whoever has a home that no account names is one of them, too. */
function withForeign(persons: readonly Person[], homes: readonly Home[], { known }: People): { uid: number }[] {
  const foreign = homes.flatMap(({ of }) => of).filter((uid) => !known.has(uid));
  return [...persons, ...foreign.map((uid) => ({ uid }))];
}

function describe({ path, named, of }: DoomedHome, mounts: readonly Mount[], { known }: People): string[] {
  const inside = mounts.filter(({ mountpoint }) => mountpoint.startsWith(`${path}/`));
  const whose = of.some((uid) => known.has(uid))
    ? ''
    : ` of the user with the number ${of[0]}, who has no account here`;
  const remarks = [
    ...(path === named ? [] : [`which ${named} leads to`]),
    ...(mounts.some(({ mountpoint }) => mountpoint === path) ? ['what is mounted there is emptied'] : []),
    ...(onBtrfs(path, mounts) === undefined ? [] : ['in its snapshots on this disk, too']),
  ];
  return [
    `remove the home ${path}${whose}${remarks.length === 0 ? '' : ` (${remarks.join('; ')})`}`,
    ...inside.map(({ mountpoint, type }) => `unmount ${mountpoint} (${type}), without a change to what is in it`),
  ];
}
