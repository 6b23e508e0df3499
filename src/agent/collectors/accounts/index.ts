import { group } from '../group.ts';
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

/** The machine's own accounts, and what leads from them to root; directories (LDAP, SSSD) are not asked. */
export const accounts = group('accounts', 'who may do what here', [
  authorizedKeys,
  emptyPasswords,
  homePermissions,
  passwordHashes,
  passwordPolicy,
  polkit,
  privilegedGroups,
  sshKeys,
  sudo,
  uid0,
  umask,
]);
