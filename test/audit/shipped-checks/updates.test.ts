import test from 'ava';
import { makeJudge } from '../../../src/audit/judge.ts';
import { loadChecks } from '../../../src/audit/load-checks.ts';
import type { Fields } from '../../../src/core/value.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const loaded = loadChecks(['checks.d']);

type Row = [plugins: Fields, answer: 'pass' | 'fail' | 'unknown' | undefined, fails?: boolean];

/** Right after the first report: what is unknown opens no issue yet. `undefined`: the check is not for such a host. */
function table(name: string, rows: Record<string, Row>) {
  for (const [title, [plugins, answer, fails = answer === 'fail']] of Object.entries(rows)) {
    test(`${name}: ${title}`, async (t) => {
      const { checks, problems } = await loaded;
      t.deepEqual(problems, []);
      const result = makeJudge(checks).judge({ hostname: 'laptop', plugins }, undefined, AT).results[name];
      if (answer === undefined) t.is(result, undefined);
      else t.like(result, { answer, fails });
    });
  }
}

const updates = (facts: Fields): Fields => ({ updates: facts });
const FAILED = { updates: { stdout: '', stderr: 'boom', returncode: 1 } };

const automatic = (enabled: boolean | string, ...problems: string[]) =>
  updates({ automatic_updates: { by: 'unattended-upgrades', enabled, problems } });
table('automatic-updates-disabled', {
  'they are installed': [automatic(true), 'pass'],
  'they are not': [automatic(false, 'apt-daily.timer is masked'), 'fail'],
  'Arch, where nobody does that': [automatic('not-applicable', 'a rolling release'), 'pass'],
  'the host cannot tell': [updates({ automatic_updates: 'unknown' }), 'unknown'],
  'the plugin failed': [FAILED, 'unknown'],
});

table('package-data-stale', {
  'of today': [updates({ metadata_age: 'under-2-days' }), 'pass'],
  'of this week': [updates({ metadata_age: 'under-7-days' }), 'pass'],
  'of this month': [updates({ metadata_age: 'under-30-days' }), 'fail'],
  older: [updates({ metadata_age: 'older' }), 'fail'],
  'never fetched': [updates({ metadata_age: 'never' }), 'fail'],
  'the host cannot tell': [updates({ metadata_age: 'unknown' }), 'unknown'],
  'no plugin': [{}, 'unknown'],
});

const support = (supported: boolean | string, until = '2028-06-30') =>
  updates({ release_support: { release: 'Debian 12', supported, until, kind: 'regular', source: 'table' } });
table('release-unsupported', {
  'a release that is supported': [support(true), 'pass'],
  'one that is not any more': [support(false), 'fail'],
  'Arch, which has no end': [support(true, 'none'), 'pass'],
  'one that nobody knows': [updates({ release_support: 'unknown' }), 'unknown'],
  'no plugin': [{}, 'unknown'],
});

const repositories = (...problems: string[][]): Fields => ({
  packages: {
    repositories: problems.map((each, index) => ({
      name: `r${index}`,
      file: '/x',
      foreign: index > 0,
      problems: each,
    })),
  },
});
table('repository-unsigned', {
  'all are signed': [repositories([], []), 'pass'],
  'one is not': [repositories([], ['unsigned']), 'fail'],
  'one need not be': [repositories(['unsigned-allowed']), 'fail'],
  'one may be by any key, which is no lack of a signature': [repositories([], ['any-key']), 'pass'],
  'there is none': [repositories(), 'pass'],
  'the host cannot tell': [{ packages: { repositories: 'unknown' } }, 'unknown'],
  'no plugin': [{}, 'unknown'],
});
table('foreign-repository-any-key', {
  "the distribution's own may be signed by any of its keys": [repositories(['any-key'], []), 'pass'],
  'a foreign one may be': [repositories([], ['any-key']), 'fail'],
  'whose it is cannot be told': [
    { packages: { repositories: [{ name: 'r', file: '/x', foreign: 'unknown', problems: ['any-key'] }] } },
    'pass',
  ],
  'the host cannot tell': [{ packages: { repositories: 'unknown' } }, 'unknown'],
});

table('packages-held', {
  none: [updates({ held_packages: [] }), 'pass'],
  one: [updates({ held_packages: ['bash'] }), 'fail'],
  'the host cannot tell': [updates({ held_packages: 'unknown' }), 'unknown'],
});

const pacman: Fields = { packages: { inventory: { pacman: { bash: '1-1' } } } };
table('vulnerable-packages', {
  'an Arch whose server has no advisories': [pacman, 'unknown'],
  'a Debian': [{ packages: { inventory: { deb: { bash: '1' } } } }, undefined],
});

const canonical = (state: string, check = 'checked') =>
  updates({ livepatch: { patches: [], canonical: { check, state } } });
table('livepatch-failing', {
  applied: [canonical('applied'), 'pass'],
  'nothing to apply': [canonical('nothing-to-apply'), 'pass'],
  'it failed': [canonical('apply-failed'), 'fail'],
  'the kernel is too old for patches': [canonical('kernel-upgrade-required'), 'fail'],
  'it cannot ask for patches': [canonical('applied', 'check-failed'), 'fail'],
  'the client does not answer': [updates({ livepatch: { patches: [], canonical: 'unknown' } }), 'unknown'],
  'nobody wanted any': [updates({ livepatch: { patches: [] } }), undefined],
});

table('flatpak-updates-available', {
  none: [updates({ flatpak_updates: [] }), 'pass'],
  some: [updates({ flatpak_updates: ['app/x/x86_64/stable'] }), 'fail'],
  'the host cannot tell': [updates({ flatpak_updates: 'unknown' }), 'unknown'],
  'no flatpak': [updates({}), undefined],
});

const snaps = (held: boolean, ...waiting: string[]) => updates({ snap_updates: { held, waiting } });
table('snap-updates-available', {
  none: [snaps(false), 'pass'],
  some: [snaps(false, 'firefox'), 'fail'],
  'the host cannot tell': [updates({ snap_updates: 'unknown' }), 'unknown'],
  'no snapd': [updates({}), undefined],
});
table('snap-updates-held', {
  'snapd does as it likes': [snaps(false, 'firefox'), 'pass'],
  'snapd is held': [snaps(true), 'fail'],
  'the host cannot tell': [updates({ snap_updates: 'unknown' }), 'unknown'],
});
