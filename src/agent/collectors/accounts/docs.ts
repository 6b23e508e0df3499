import type { FactDoc, Tested } from '../doc.ts';
import { authorizedKeys } from './authorized-keys.ts';
import { emptyPasswords } from './empty-passwords.ts';
import { homePermissions } from './home-permissions.ts';
import { passwordHashes } from './password-hashes.ts';
import { passwordPolicy } from './password-policy.ts';
import { polkit } from './polkit.ts';
import { privilegedGroups } from './privileged-groups.ts';
import { sshKeys } from './ssh-keys.ts';
import { sudo } from './sudo.ts';
import { uid0 } from './uid0.ts';
import { umask } from './umask.ts';

/** Files that are the same everywhere: tried on a booted Debian 13, elsewhere as their man pages describe them. */
const FILES = tested('output', 'real');
const NEEDS_ROOT = '`unknown`';

export const accountsDocs: readonly FactDoc[] = [
  {
    fact: authorizedKeys,
    tells:
      'how many keys let somebody in over ssh, by account (those without any are left out); only where `collectors.enabled` holds `accounts.authorized_keys`, since it looks into home directories, and for the usual file names alone',
    reads: ['`~/.ssh/authorized_keys`, `~/.ssh/authorized_keys2`'],
    root: NEEDS_ROOT,
    shape: '[{user, keys}]',
    cost: '1 ms',
    tested: tested('output', 'real'),
    sources: ['sshd(8), AUTHORIZED_KEYS FILE FORMAT'],
  },
  {
    fact: emptyPasswords,
    tells:
      'names of the accounts that have an empty password; locked ones (`!`, `*`) have none that would fit, and are not meant',
    reads: ['`/etc/passwd`', '`/etc/shadow`'],
    root: '`unknown`, unless `/etc/passwd` itself shows one',
    shape: '[NAME]',
    cost: '1 ms',
    tested: FILES,
    sources: ['passwd(5)', 'shadow(5)'],
  },
  {
    fact: homePermissions,
    tells: 'of which people the home directory itself can be read or written by everybody; nothing in it is looked at',
    reads: ['`/etc/passwd`', '`/etc/login.defs`', 'modes of home directories'],
    shape: '{readable: [NAME], writable: [NAME]}',
    cost: '1 ms',
    tested: FILES,
    sources: ['passwd(5)', 'login.defs(5)'],
  },
  {
    fact: passwordHashes,
    tells:
      'how passwords are kept: how many of each kind, and whose are weaker than sha512 (`sha256`, `sha1`, `md5`, `sunmd5`, `nt`, `bsdi`, `des`); never a hash. Locked and empty ones are not counted',
    reads: ['`/etc/passwd`', '`/etc/shadow`'],
    root: NEEDS_ROOT,
    shape: '{kinds: {KIND: COUNT}, weak: [NAME]}',
    cost: '1 ms',
    tested: FILES,
    sources: ['crypt(5)', 'shadow(5)'],
  },
  {
    fact: passwordPolicy,
    tells:
      'what a new password must be like (module, shortest length, kinds of characters, whether it is enforced), after how many failures an account is locked, and after how many days a new account must change its password; the stacks of the services `passwd` and `login`, with all that they include',
    reads: [
      '`/etc/pam.d`, `/usr/lib/pam.d`',
      '`/etc/security/pwquality.conf`, `faillock.conf` (and their `.d`)',
      '`/etc/passwdqc.conf`',
      '`/etc/login.defs`',
    ],
    shape:
      '{quality: {module, min_length, min_classes?, enforced}, lockout: {module: "none"} | {module, deny, unlock_seconds: SECONDS | "never"}, max_days?}',
    cost: '2 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'real', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: [
      'pam.d(5), pwquality.conf(5), pam_faillock(8), passwdqc.conf(5)',
      '`/etc/pam.d` of Debian 12, of Fedora (authselect) and of Arch (pambase)',
    ],
  },
  {
    fact: polkit,
    tells:
      "which of the site's own polkit rules let somebody become root without a password (`*`: for every action), and in `unclear` whether there is code that cannot be judged: rules are programs, and only plain comparisons are understood. What packages bring in `/usr/share` is not looked at",
    reads: [
      '`/etc/polkit-1/rules.d`, `/usr/local/share/polkit-1/rules.d`, `/run/polkit-1/rules.d`',
      '`*.pkla`, where something reads them',
    ],
    root: "`unknown` where the folder is polkitd's alone",
    shape: '{installed, passwordless: [{file, actions: [ACTION]}], unclear: [] | "unknown"}',
    cost: '1 ms',
    tested: tested('output', 'output'),
    sources: [
      'polkit(8)',
      'pklocalauthority(8)',
      'the rules that the Arch wiki and the manuals of libvirt and udisks give',
    ],
  },
  {
    fact: privilegedGroups,
    tells:
      'members of groups that lead to root (admin, disk, docker, incus, incus-admin, kmem, kvm, libvirt, lxd, root, shadow, sudo, wheel), people whose first group it is among them; root itself is left out, and so are groups without members',
    reads: ['`/etc/group`', '`/etc/passwd`', '`/etc/login.defs`'],
    shape: '{GROUP: [NAME]}',
    cost: '1 ms',
    tested: FILES,
    sources: ['group(5)'],
  },
  {
    fact: sshKeys,
    tells:
      'how many private ssh keys each account has, and how many of them need no passphrase (keys on a token are not counted as such); only where `collectors.enabled` holds `accounts.ssh_keys`, since it looks into home directories. Of each file the first 112 bytes are read, which hold no private part of a key in the format of OpenSSH; names of files are not told',
    reads: ['the first 112 bytes of the files in `~/.ssh`'],
    root: NEEDS_ROOT,
    shape: '[{user, keys, unprotected}]',
    cost: '1 ms',
    tested: tested('real', 'real'),
    sources: ['PROTOCOL.key of OpenSSH', 'RFC 5958', 'RFC 1421'],
  },
  {
    fact: sudo,
    tells:
      'who may run everything as root and whether a password is asked for, who may run some commands as root without one (told without their arguments), which group is never asked (`exempt_group`), and where else sudo finds rules that are not seen here (`other_sources`). Includes, aliases, `!authenticate`, negations and the order of rules are followed; groups are those of `/etc/group`; root is left out, as are rules for other hosts; `unknown` where a line cannot be made out',
    reads: ['`/etc/sudoers` and what it includes', '`/etc/nsswitch.conf`', '`/etc/group`', '`/etc/passwd`'],
    root: NEEDS_ROOT,
    shape:
      '{installed, everything: [{who, password: true | false | "unknown"}], passwordless: [{who, commands: [PROGRAM]}], exempt_group?, other_sources?: [NAME]}',
    cost: '2 ms',
    tested: tested('real', 'real'),
    sources: ['sudoers(5)', 'the tests hold it to what `cvtsudoers` makes of the same files'],
  },
  {
    fact: uid0,
    tells: 'names of the accounts beside root that are root: their number is 0',
    reads: ['`/etc/passwd`'],
    shape: '[NAME]',
    cost: '1 ms',
    tested: FILES,
    sources: ['passwd(5)'],
  },
  {
    fact: umask,
    tells:
      'which permissions new files lack, whether for every login (pam_umask) or only as login.defs says, and whether people share with their own group (`user_groups`)',
    reads: ['`/etc/login.defs`', '`/etc/pam.d/login` and what it includes'],
    shape: '{mask, everywhere, user_groups, home_mode?}',
    cost: '1 ms',
    tested: FILES,
    sources: ['login.defs(5)', 'pam_umask(8)'],
  },
];

function tested(
  older: Tested,
  newer: Tested,
): Record<'debian-12' | 'debian-13' | 'ubuntu' | 'arch' | 'fedora', Tested> {
  return { 'debian-12': older, 'debian-13': newer, ubuntu: 'output', arch: 'output', fedora: 'output' };
}
