import test from 'ava';
import { makeJudge } from '../../../src/audit/judge.ts';
import { loadChecks } from '../../../src/audit/load-checks.ts';
import { hours } from '../../../src/core/duration.ts';
import type { Fields } from '../../../src/core/value.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const loaded = loadChecks(['checks.d']);

type Row = [plugins: Fields, answer: 'pass' | 'fail' | 'unknown' | undefined, fails?: boolean];

/** `fails`: whether an issue opens at once. An answer of undefined: the check is not for such a host. */
function table(name: string, rows: Record<string, Row>) {
  for (const [title, [plugins, answer, fails]] of Object.entries(rows)) {
    test(`${name}: ${title}`, async (t) => {
      const { checks } = await loaded;
      t.truthy(checks.find((check) => check.name === name)?.remediation['default']);
      const { results } = makeJudge(checks).judge({ hostname: 'laptop', plugins }, undefined, AT);
      if (answer === undefined) t.is(results[name], undefined);
      else t.like(results[name], { answer, fails: fails ?? answer === 'fail' });
    });
  }
}

const FAILED = { stdout: '', stderr: 'boom', returncode: 1 };
const screens = (...users: [enabled: boolean | string, delay: number | string | null][]): Fields => ({
  screenlock: { users: users.map(([enabled, delay], index) => ({ user: `u${index}`, enabled, delay })) },
});

test("the original's grace period of screenlock-disabled is kept", async (t) => {
  t.is((await loaded).checks.find(({ name }) => name === 'screenlock-disabled')?.gracePeriod, hours(4));
});

table('screenlock-disabled', {
  'the only screen locks': [screens([true, 300]), 'pass'],
  'the only screen does not lock': [screens([false, null]), 'fail'],
  'one of two locks, which is enough for the original': [screens([false, null], [true, 300]), 'pass'],
  'one does not lock, and one cannot be told': [screens([false, null], ['unknown', 'unknown']), 'fail'],
  'one locks, and one cannot be told': [screens([true, 60], ['unknown', 'unknown']), 'pass'],
  'none can be told': [screens(['unknown', 'unknown']), 'unknown'],
  'as the original reports one it cannot tell': [
    { screenlock: { users: [{ user: 'u', enabled: 'unknown' }], cached_at: '2026-01-01T00:00:00Z' } },
    'unknown',
  ],
  'nobody ever sat there': [screens(), 'pass'],
  'it cannot be seen who does': [{ screenlock: 'unknown' }, 'unknown'],
  'the plugin failed': [{ screenlock: FAILED }, 'unknown'],
  'the original on a server, which has nothing to tell': [{ screenlock: null }, undefined],
  'no plugin': [{}, 'unknown'],
});

table('screenlock-delay-long', {
  'fifteen minutes are short enough': [screens([true, 900]), 'pass'],
  'a second more is not': [screens([true, 300], [true, 901]), 'fail'],
  'a screen that never locks is no matter of time': [screens([false, null]), 'pass'],
  'one that cannot be told neither': [screens(['unknown', 'unknown']), 'pass'],
  'no plugin': [{}, 'unknown'],
  'the plugin failed': [{ screenlock: FAILED }, 'unknown'],
});

const changes = (...can: (boolean | string)[]): Fields => ({
  session: { screen_lock: { users: can.map((each) => ({ user: 'u', user_can_change: each })) } },
});
table('screenlock-user-can-change', {
  'fixed by the administrator': [changes(false), 'pass'],
  'one of two can': [changes(false, true), 'fail'],
  'one can, and one cannot be told': [changes('unknown', true), 'fail'],
  'one cannot be told': [changes(false, 'unknown'), 'unknown'],
  'nobody there': [changes(), 'pass'],
  'cannot be seen': [{ session: { screen_lock: 'unknown' } }, 'unknown'],
  'no plugin': [{}, 'unknown'],
});

table('guest-session-enabled', {
  'no guests': [{ guest_session: { enabled: false } }, 'pass'],
  'guests, seen some time ago': [{ guest_session: { enabled: true, cached_at: '2026-01-01T00:00:00Z' } }, 'fail'],
  'cannot tell': [{ guest_session: { enabled: 'unknown' } }, 'unknown', true],
  'no plugin': [{}, 'unknown', true],
});

table('auto-login-enabled', {
  'nobody is': [{ session: { auto_login: { enabled: false, logins: [] } } }, 'pass'],
  'somebody is': [{ session: { auto_login: { enabled: true, logins: [{ by: 'gdm', user: 'alice' }] } } }, 'fail'],
  'cannot tell': [{ session: { auto_login: { enabled: 'unknown', logins: [] } } }, 'unknown'],
  'no plugin': [{}, 'unknown'],
});

const lid = (action: string, external = action): Fields => ({
  session: { lid: { action, external_power: external, docked: 'ignore' } },
});
table('lid-does-not-lock', {
  'it suspends': [lid('suspend'), 'pass'],
  'it locks': [lid('lock'), 'pass'],
  'nothing happens': [lid('ignore'), 'fail'],
  'nothing happens while it is plugged in': [lid('suspend', 'ignore'), 'fail'],
  'the fact is unknown': [{ session: { lid: 'unknown' } }, 'unknown'],
  'there is no lid': [{ session: {} }, undefined],
});
