import type { Person } from '../people.ts';

/** What a home directory is, seen without following a link. */
export type HomeFacts =
  | { kind: 'missing' }
  | { kind: 'link'; to: string }
  /** no folder, or a path that others than root could have bent */
  | { kind: 'other' | 'untrusted' }
  /** on a file system that is not this machine's, or that is made up; not looked at */
  | { kind: 'away'; type: string }
  | { kind: 'folder'; path: string; owner: number; id: string };

export interface Home {
  /** as the account has it */
  path: string;
  facts: HomeFacts;
  /** whose it is: numbers of accounts that name it */
  of: number[];
}

export type Verdict = { remove: true; path: string } | { remove: false; why: string };

/** Folders that are nobody's home, whatever an account says. What is below those of the second list is neither. */
const NEVER = ['/', '/home', '/media', '/mnt', '/opt', '/srv', '/tmp', '/var', '/var/home', '/var/tmp', '/usr/home'];
const NEVER_BELOW = [
  ...['/afs', '/bin', '/boot', '/dev', '/efi', '/etc', '/gnu', '/lib', '/lib32', '/lib64', '/libx32', '/lost+found'],
  ...['/nix', '/ostree', '/proc', '/root', '/run', '/sbin', '/snap', '/sys', '/sysroot', '/usr', '/var'],
];
/** Where homes usually are: there one may be root's (a chroot of sftp). */
export const USUAL = ['/home', '/var/home', '/usr/home'];

export interface Judging {
  persons: readonly Pick<Person, 'uid'>[];
  /** `DEV:INODE` of what must stay: root's home, system folders by whatever path they are reached, this program's own */
  keep: ReadonlySet<string>;
}

/** Whether a home may be removed. The path in `facts` has no link in it. */
export function judgeHome({ facts, path: named }: Home, { persons, keep }: Judging): Verdict {
  const no = (why: string): Verdict => ({ remove: false, why });
  switch (facts.kind) {
    case 'missing':
      return no('it is not there');
    case 'link':
      return no(`it is a symbolic link to ${oneLine(facts.to)}, which is not followed`);
    case 'other':
      return no('it is no folder');
    case 'untrusted':
      return no('its path is not one that root alone has made');
    case 'away':
      return no(`it lies on a file system of the kind ${facts.type}, which is not this machine's own`);
    case 'folder':
      break;
    default:
      facts satisfies never;
  }
  const { path, owner, id } = facts;
  const inUsual = USUAL.some((folder) => path.startsWith(`${folder}/`));
  if (NEVER.includes(path) || (!inUsual && NEVER_BELOW.some((folder) => isAtOrBelow(path, folder)))) {
    return no('it is a folder of the system');
  }
  if (keep.has(id)) return no('it is the same folder as one of the system');
  const isPersons = persons.some(({ uid }) => uid === owner);
  if (!isPersons && !(owner === 0 && inUsual)) {
    return no(
      `the folder belongs to the user with the number ${owner}, and not to the account${path === named ? '' : `: ${path}`}`,
    );
  }
  return { remove: true, path };
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?').slice(0, 300);
}
