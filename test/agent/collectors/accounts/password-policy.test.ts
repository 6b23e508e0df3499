import test from 'ava';
import { accounts } from '../../../../src/agent/collectors/accounts/index.ts';
import { parsePam } from '../../../../src/agent/collectors/accounts/pam.ts';
import { look } from '../look.ts';

/** /etc/pam.d of Debian 12, comments left out. */
const DEBIAN = {
  '/etc/pam.d/passwd': '@include common-password\n',
  '/etc/pam.d/login':
    'auth       optional   pam_faildelay.so  delay=3000000\nauth       requisite  pam_nologin.so\n@include common-auth\n@include common-account\n@include common-session\n',
  '/etc/pam.d/common-password':
    'password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt\npassword\trequisite\t\t\tpam_deny.so\npassword\trequired\t\t\tpam_permit.so\n',
  '/etc/pam.d/common-auth':
    'auth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth\trequisite\t\t\tpam_deny.so\nauth\trequired\t\t\tpam_permit.so\n',
  '/etc/pam.d/common-session': 'session\trequired\tpam_unix.so\nsession\toptional\tpam_umask.so\n',
  '/etc/login.defs':
    'PASS_MAX_DAYS\t99999\nUMASK\t\t022\nHOME_MODE\t0700\nUSERGROUPS_ENAB yes\nENCRYPT_METHOD YESCRYPT\n',
};
/** Its package libpam-pwquality puts this into common-password. */
const PWQUALITY = {
  ...DEBIAN,
  '/etc/pam.d/common-password':
    'password\trequisite\t\t\tpam_pwquality.so retry=3\npassword\t[success=1 default=ignore]\tpam_unix.so obscure use_authtok try_first_pass yescrypt\n',
};
/** Fedora's profile `local with-faillock` of authselect. */
const FEDORA = {
  '/etc/pam.d/passwd':
    '#%PAM-1.0\n# comment\nauth\tinclude\tsystem-auth\naccount\tinclude\tsystem-auth\npassword   substack\tsystem-auth\n-password   optional\tpam_gnome_keyring.so use_authtok\n',
  '/etc/pam.d/login':
    'auth       substack     system-auth\nauth       include      postlogin\nsession    include      system-auth\n',
  '/etc/pam.d/system-auth':
    'auth        required      pam_env.so\nauth        required      pam_faillock.so preauth silent\nauth        sufficient    pam_unix.so nullok\nauth        required      pam_faillock.so authfail\nauth        required      pam_deny.so\npassword    requisite     pam_pwquality.so local_users_only\npassword    sufficient    pam_unix.so yescrypt shadow nullok use_authtok\npassword    required      pam_deny.so\n',
  '/etc/login.defs': 'PASS_MAX_DAYS 365\nUMASK 022\nUSERGROUPS_ENAB yes\n',
};
/** Arch's package pambase. */
const ARCH = {
  '/etc/pam.d/passwd': '#%PAM-1.0\nauth include system-auth\npassword include system-auth\n',
  '/etc/pam.d/login': '#%PAM-1.0\nauth requisite pam_nologin.so\nauth include system-local-login\n',
  '/etc/pam.d/system-local-login': 'auth include system-login\n',
  '/etc/pam.d/system-login': 'auth required pam_shells.so\nauth include system-auth\n',
  '/etc/pam.d/system-auth':
    'auth       required                    pam_faillock.so      preauth\n-auth      [success=2 default=ignore]  pam_systemd_home.so\nauth       [success=1 default=bad]     pam_unix.so          try_first_pass nullok\nauth       [default=die]               pam_faillock.so      authfail\npassword   required                    pam_unix.so          try_first_pass nullok shadow\n',
};

const NONE = { module: 'none' };
const TABLE: Record<string, [files: Record<string, string>, policy: object]> = {
  'a plain Debian asks for six characters and never locks': [
    DEBIAN,
    { quality: { module: 'pam_unix', min_length: 6, enforced: true }, lockout: NONE },
  ],
  'pam_pwquality asks for eight where nobody says otherwise': [
    PWQUALITY,
    { quality: { module: 'pam_pwquality', min_length: 8, enforced: true }, lockout: NONE },
  ],
  'pwquality.conf says otherwise, comments do not': [
    { ...PWQUALITY, '/etc/security/pwquality.conf': '# minlen = 20\n minlen = 14 # at least\nminclass=3\n' },
    { quality: { module: 'pam_pwquality', min_length: 14, min_classes: 3, enforced: true } },
  ],
  'the folder pwquality.conf.d is read before the file': [
    {
      ...PWQUALITY,
      '/etc/security/pwquality.conf': 'minlen = 9\n',
      '/etc/security/pwquality.conf.d/50-site.conf': 'minlen = 16\nminclass = 2\n',
    },
    { quality: { module: 'pam_pwquality', min_length: 9, min_classes: 2, enforced: true } },
  ],
  'arguments of the module come last': [
    {
      ...PWQUALITY,
      '/etc/pam.d/common-password': 'password requisite pam_pwquality.so retry=3 minlen=10\n',
      '/etc/security/pwquality.conf': 'minlen = 16\n',
    },
    { quality: { module: 'pam_pwquality', min_length: 10, enforced: true } },
  ],
  'a policy that only warns is not enforced': [
    { ...PWQUALITY, '/etc/security/pwquality.conf': 'minlen = 16\nenforcing = 0\n' },
    { quality: { module: 'pam_pwquality', min_length: 16, enforced: false } },
  ],
  'an optional module is not heard': [
    { ...DEBIAN, '/etc/pam.d/common-password': 'password optional pam_pwquality.so\n' },
    { quality: { module: 'pam_pwquality', min_length: 8, enforced: false } },
  ],
  'passwdqc: the shortest that it lets pass': [
    { ...DEBIAN, '/etc/pam.d/common-password': 'password requisite pam_passwdqc.so min=disabled,24,12,10,9\n' },
    { quality: { module: 'pam_passwdqc', min_length: 9, enforced: true } },
  ],
  'Fedora asks pwquality and locks after three failures': [
    FEDORA,
    {
      quality: { module: 'pam_pwquality', min_length: 8, enforced: true },
      lockout: { module: 'pam_faillock', deny: 3, unlock_seconds: 600 },
      max_days: 365,
    },
  ],
  'faillock.conf says how many failures, and for how long': [
    { ...FEDORA, '/etc/security/faillock.conf': 'deny = 5\nunlock_time = 0\neven_deny_root\n' },
    { lockout: { module: 'pam_faillock', deny: 5, unlock_seconds: 'never' } },
  ],
  'faillock that denies after 0 failures never does': [
    { ...FEDORA, '/etc/security/faillock.conf': 'deny = 0\n' },
    { lockout: NONE },
  ],
  'faillock that is told of no failure counts none': [
    { ...FEDORA, '/etc/pam.d/system-auth': 'auth required pam_faillock.so preauth\nauth sufficient pam_unix.so\n' },
    { lockout: NONE, quality: 'unknown' },
  ],
  'Arch locks, and asks for six characters': [
    ARCH,
    {
      quality: { module: 'pam_unix', min_length: 6, enforced: true },
      lockout: { module: 'pam_faillock', deny: 3, unlock_seconds: 600 },
    },
  ],
  'without PAM nothing is known': [{}, { quality: 'unknown', lockout: 'unknown' }],
  'a service that includes itself ends': [
    { '/etc/pam.d/passwd': '@include passwd\npassword required pam_unix.so minlen=12\n' },
    { quality: { module: 'pam_unix', min_length: 12, enforced: true }, lockout: 'unknown' },
  ],
  'a length that is no number is unknown': [
    { ...PWQUALITY, '/etc/security/pwquality.conf': 'minlen = many\n' },
    { quality: { module: 'pam_pwquality', min_length: 'unknown', enforced: true } },
  ],
};
for (const [title, [files, expected]] of Object.entries(TABLE)) {
  test(title, async (t) => {
    t.like(await look(t, accounts, files), { password_policy: expected });
  });
}

test('PAM files of /usr/lib are read where /etc has none of that name', async (t) => {
  const files = { '/usr/lib/pam.d/passwd': 'password required pam_unix.so minlen=9\n' };
  t.like(await look(t, accounts, files), { password_policy: { quality: { min_length: 9 } } });
});

test('what is no line of PAM is passed over', (t) => {
  t.deepEqual(parsePam('\u0000\u0001\nauth\npassword required\nnonsense a b\n# auth required pam_x.so\n'), []);
  t.deepEqual(parsePam('AUTH \\\n required /lib/security/pam_x.so [a b] c # d\n'), [
    { type: 'auth', control: 'required', module: 'pam_x', args: ['[a b]', 'c'] },
  ]);
});

test('the umask of login.defs counts everywhere where pam_umask is asked', async (t) => {
  t.like(await look(t, accounts, DEBIAN), {
    umask: { mask: '022', everywhere: true, user_groups: true, home_mode: '0700' },
  });
  t.like(await look(t, accounts, FEDORA), { umask: { mask: '022', everywhere: false, user_groups: false } });
  const args = { ...DEBIAN, '/etc/pam.d/common-session': 'session optional pam_umask.so umask=77 nousergroups\n' };
  t.like(await look(t, accounts, args), { umask: { mask: '077', everywhere: true, user_groups: false } });
  const unset = { ...DEBIAN, '/etc/login.defs': '#UMASK 077\nUSERGROUPS_ENAB yes\n' };
  t.like(await look(t, accounts, unset), { umask: { mask: '022', everywhere: true } });
  t.like(await look(t, accounts, {}), { umask: 'unknown' });
});
