import test from 'ava';
import { makeJudge } from '../../src/audit/judge.ts';
import { loadChecks } from '../../src/audit/load-checks.ts';
import { days, hours } from '../../src/core/duration.ts';
import { BUILT_IN_ISSUES } from '../../src/core/issue.ts';
import type { Fields } from '../../src/core/value.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const loaded = loadChecks(['checks.d']);

test('every shipped check can be read, and tells people what to do', async (t) => {
  const { checks, problems } = await loaded;
  t.deepEqual(problems, []);
  t.deepEqual(
    checks.filter(({ rule }) => rule !== undefined).map(({ name }) => name),
    [
      'auto-login-enabled',
      'firewall-disabled',
      'guest-session-enabled',
      'lid-does-not-lock',
      'os-security-patches-available',
      'os-update-available',
      'screenlock-delay-long',
      'screenlock-disabled',
      'screenlock-user-can-change',
      'ssh-password-authentication',
      'ssh-root-password-authentication',
      'unencrypted-hard-drive',
    ],
  );
  t.deepEqual(
    checks.filter(({ rule }) => rule === undefined).map(({ name }) => name),
    [...BUILT_IN_ISSUES].sort(),
  );
  for (const { name, remediation, enabled } of checks) {
    t.truthy(remediation['default'], name);
    t.true(enabled, name);
  }
});

test("the original's grace periods and alert frequencies are kept", async (t) => {
  const times = Object.fromEntries(
    (await loaded).checks.map((check) => [check.name, [check.gracePeriod, check.alertFrequency]]),
  );
  t.like(times, {
    'not-reporting': [hours(4), days(1)],
    'os-update-available': [days(90), hours(1)],
    'os-security-patches-available': [days(1), days(1)],
    'deprecated-port': [hours(1), hours(1)],
    'unencrypted-hard-drive': [0, hours(1)],
    'firewall-disabled': [0, hours(1)],
  });
});

type Row = [plugins: Fields, answer: 'pass' | 'fail' | 'unknown', fails: boolean];

/** `fails` is what the original's query says of the same document. */
function table(name: string, rows: Record<string, Row>) {
  for (const [title, [plugins, answer, fails]] of Object.entries(rows)) {
    test(`${name}: ${title}`, async (t) => {
      const { results } = makeJudge((await loaded).checks).judge({ hostname: 'laptop', plugins }, undefined, AT);
      t.like(results[name], { answer, fails });
    });
  }
}

const FAILED = { stdout: '', stderr: 'boom', returncode: 1 };

table('os-update-available', {
  'none is there': [{ os_updates: { release: false } }, 'pass', false],
  'one is there': [{ os_updates: { release: true } }, 'fail', true],
  'the host cannot tell': [{ os_updates: { release: 'unknown' } }, 'unknown', true],
  'no plugin': [{}, 'unknown', true],
});

table('os-security-patches-available', {
  'none is there': [{ os_updates: { security_patches: false } }, 'pass', false],
  'some are there': [{ os_updates: { security_patches: true } }, 'fail', true],
  'the host cannot tell': [{ os_updates: { security_patches: 'unknown' } }, 'unknown', true],
  'the plugin failed': [{ os_updates: FAILED }, 'unknown', true],
});

const disk = (...encrypted: Fields[string][]) => ({
  hd_encryption: encrypted.map((each, index) => ({
    mountpoint: `/${index}`,
    device: 'x',
    type: 'ext4',
    encrypted: each,
  })),
});
table('unencrypted-hard-drive', {
  'all are encrypted': [disk(true, true), 'pass', false],
  'one is not': [disk(true, false), 'fail', true],
  'one is not, and one cannot be told': [disk('unknown', false), 'fail', true],
  'one cannot be told': [disk(true, 'unknown'), 'unknown', true],
  'one says nothing': [
    { hd_encryption: [{ mountpoint: '/', encrypted: true }, { mountpoint: '/x' }] },
    'unknown',
    true,
  ],
  'no disk at all': [disk(), 'unknown', true],
  'no plugin': [{}, 'unknown', true],
  'the plugin says unknown': [{ hd_encryption: 'unknown' }, 'unknown', true],
  'the plugin failed': [{ hd_encryption: FAILED }, 'unknown', true],
});

table('firewall-disabled', {
  on: [{ firewall: { status: 'on' } }, 'pass', false],
  off: [{ firewall: { status: 'off' } }, 'fail', true],
  'cannot tell': [{ firewall: { status: 'unknown' } }, 'unknown', true],
  'no plugin': [{}, 'unknown', true],
});

const sshd = (status: string, config?: Fields) => ({ sshd: { status, ...(config === undefined ? {} : { config }) } });
table('ssh-password-authentication', {
  'a running server that asks for passwords': [sshd('running', { passwordauthentication: 'yes' }), 'fail', true],
  'a running server that does not': [sshd('running', { passwordauthentication: 'no' }), 'pass', false],
  'a stopped server that would': [sshd('stopped', { passwordauthentication: 'yes' }), 'pass', false],
  'no server': [sshd('missing'), 'pass', false],
  'a running server whose settings cannot be read': [sshd('running'), 'unknown', false],
  'a running server, settings unknown': [{ sshd: { status: 'running', config: 'unknown' } }, 'unknown', false],
  'the plugin failed': [{ sshd: FAILED }, 'unknown', false],
});

table('ssh-root-password-authentication', {
  'a running server that lets root in': [sshd('running', { permitrootlogin: 'yes' }), 'fail', true],
  'only with a key': [sshd('running', { permitrootlogin: 'without-password' }), 'pass', false],
  'a stopped server that would': [sshd('stopped', { permitrootlogin: 'yes' }), 'pass', false],
  'a running server whose settings cannot be read': [sshd('running', {}), 'unknown', false],
  'no plugin': [{}, 'unknown', false],
});
