import type { Fields } from '../../../src/core/value.ts';
import { FAILED, tableOf } from './table-of.ts';

const accounts = (facts: Fields): Fields => ({ accounts: facts });
const NOTHING: Fields = {};

for (const [name, fact] of [
  ['second-root-account', 'uid0'],
  ['account-without-password', 'empty_passwords'],
] as const) {
  tableOf(name, {
    none: [accounts({ [fact]: [] }), 'pass'],
    one: [accounts({ [fact]: ['toor'] }), 'fail'],
    'the host cannot tell': [accounts({ [fact]: 'unknown' }), 'unknown'],
    'no plugin': [NOTHING, 'unknown'],
    'the plugin failed': [{ accounts: FAILED }, 'unknown'],
  });
}

tableOf('weak-password-hash', {
  none: [accounts({ password_hashes: { kinds: { yescrypt: 1 }, weak: [] } }), 'pass'],
  one: [accounts({ password_hashes: { kinds: { md5: 1 }, weak: ['bob'] } }), 'fail'],
  'the host cannot tell': [accounts({ password_hashes: 'unknown' }), 'unknown'],
});

const sudo = (everything: Fields[], more: Fields = {}) =>
  accounts({ sudo: { installed: true, everything, passwordless: [], ...more } });
const ASKED = { who: '%sudo', password: true };
tableOf('sudo-without-password', {
  'everybody is asked': [sudo([ASKED]), 'pass'],
  'nobody may anything': [sudo([]), 'pass'],
  'no sudo': [accounts({ sudo: { installed: false, everything: [], passwordless: [] } }), 'pass'],
  'one command without a password': [sudo([ASKED], { passwordless: [{ who: 'bob', commands: ['/bin/x'] }] }), 'pass'],
  'one is not asked': [sudo([ASKED, { who: 'bob', password: false }]), 'fail'],
  'one is not asked, of another it is not known': [
    sudo([
      { who: 'a', password: 'unknown' },
      { who: 'b', password: false },
    ]),
    'fail',
  ],
  'a group is exempt': [sudo([ASKED], { exempt_group: 'wheel' }), 'fail'],
  'of one it is not known': [sudo([ASKED, { who: 'bob', password: 'unknown' }]), 'unknown'],
  'rules in a directory too, which are not seen from here': [sudo([ASKED], { other_sources: ['sss'] }), 'pass'],
  'one of its own is not asked, beside rules in a directory': [
    sudo([{ who: 'bob', password: false }], { other_sources: ['sss'] }),
    'fail',
  ],
  'the host cannot tell': [accounts({ sudo: 'unknown' }), 'unknown'],
  'no plugin': [NOTHING, 'unknown'],
});

const groups = (members: Fields | 'unknown') => accounts({ privileged_groups: members });
tableOf('docker-group-member', {
  'only in sudo': [groups({ sudo: ['alice'] }), 'pass'],
  'in none': [groups({}), 'pass'],
  'in docker': [groups({ docker: ['alice'] }), 'fail'],
  'in incus-admin': [groups({ 'incus-admin': ['alice'] }), 'fail'],
  'the host cannot tell': [groups('unknown'), 'unknown'],
});
tableOf('disk-group-member', {
  'only in docker': [groups({ docker: ['alice'] }), 'pass'],
  'in disk': [groups({ disk: ['alice'] }), 'fail'],
  'in shadow': [groups({ shadow: ['alice'] }), 'fail'],
  'the host cannot tell': [groups('unknown'), 'unknown'],
});

const policy = (quality: Fields | 'unknown', lockout: Fields | 'unknown' = 'unknown') =>
  accounts({ password_policy: { quality, lockout } });
tableOf('password-policy-weak', {
  'eight characters': [policy({ module: 'pam_pwquality', min_length: 8, enforced: true }), 'pass'],
  six: [policy({ module: 'pam_unix', min_length: 6, enforced: true }), 'fail'],
  'only a warning': [policy({ module: 'pam_pwquality', min_length: 14, enforced: false }), 'fail'],
  'no number': [policy({ module: 'pam_pwquality', min_length: 'unknown', enforced: true }), 'unknown'],
  'the host cannot tell': [policy('unknown'), 'unknown'],
});
tableOf('account-lockout-off', {
  'after three failures': [policy('unknown', { module: 'pam_faillock', deny: 3 }), 'pass'],
  never: [policy('unknown', { module: 'none' }), 'fail'],
  'the host cannot tell': [policy('unknown'), 'unknown'],
});

const polkit = (passwordless: Fields[], unclear: string | string[] = []) =>
  accounts({ polkit: { installed: true, passwordless, unclear } });
const BYPASS = { file: '/etc/polkit-1/rules.d/x.rules', actions: ['*'] };
tableOf('polkit-admin-without-password', {
  none: [polkit([]), 'pass'],
  'no polkit': [accounts({ polkit: { installed: false, passwordless: [] } }), 'pass'],
  one: [polkit([BYPASS]), 'fail'],
  'one, and code that cannot be judged': [polkit([BYPASS], 'unknown'), 'fail'],
  'code that cannot be judged': [polkit([], 'unknown'), 'unknown'],
  'the host cannot tell': [accounts({ polkit: 'unknown' }), 'unknown'],
  'no plugin': [NOTHING, 'unknown'],
});

tableOf('ssh-key-without-passphrase', {
  'nobody asked': [accounts({ uid0: [] }), undefined],
  'no keys': [accounts({ ssh_keys: [] }), 'pass'],
  'all have one': [accounts({ ssh_keys: [{ user: 'alice', keys: 2, unprotected: 0 }] }), 'pass'],
  'one has none': [
    accounts({
      ssh_keys: [
        { user: 'alice', keys: 2, unprotected: 0 },
        { user: 'bob', keys: 1, unprotected: 1 },
      ],
    }),
    'fail',
  ],
  'the host cannot tell': [accounts({ ssh_keys: 'unknown' }), 'unknown'],
});

tableOf('home-readable-by-others', {
  none: [accounts({ home_permissions: { readable: [], writable: [] } }), 'pass'],
  one: [accounts({ home_permissions: { readable: ['alice'], writable: [] } }), 'fail'],
  'one that can be written only': [accounts({ home_permissions: { readable: [], writable: ['alice'] } }), 'fail'],
  'the host cannot tell': [accounts({ home_permissions: 'unknown' }), 'unknown'],
});
