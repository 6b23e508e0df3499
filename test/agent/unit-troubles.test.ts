import test from 'ava';
import { unitTroubles } from '../../src/agent/unit-troubles.ts';

/** As systemctl prints it; 1: not due. */
const CONDITION =
  '{ path=/usr/lib/penguindome/bin/penguindome-tick ; argv[]=/usr/lib/penguindome/bin/penguindome-tick --is-due collect ; ignore_errors=no ; start_time=[Sun 2026-11-29 21:00:00 UTC] ; stop_time=[Sun 2026-11-29 21:00:00 UTC] ; pid=77 ; code=exited ; status=STATUS }';

const WELL = {
  Id: 'penguindome-collect.service',
  LoadState: 'loaded',
  ActiveState: 'inactive',
  Result: 'success',
  ExecMainStatus: '0',
  ExecCondition: CONDITION.replace('STATUS', '1'),
  DropInPaths: '',
};

/** As `systemctl show` prints several units. */
function shown(...units: Partial<typeof WELL>[]): string {
  const block = (unit: Partial<typeof WELL>) =>
    Object.entries({ ...WELL, ...unit })
      .map(([name, value]) => `${name}=${value}\n`)
      .join('');
  return units.map(block).join('\n');
}

const DROP_IN = '/etc/systemd/system/penguindome-collect.service.d/x.conf';

test('units that run, that were stopped, or that ended with a status of the agent itself, are no trouble of units', (t) => {
  t.deepEqual(unitTroubles(shown({ ActiveState: 'failed', Result: 'signal', ExecMainStatus: '15' })), []);
  t.deepEqual(unitTroubles(shown({}, { ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: '3' })), []);
  t.deepEqual(unitTroubles(''), []);
});

test('a unit that a drop-in breaks is told with the drop-in, and what to do', (t) => {
  const [trouble, ...more] = unitTroubles(
    shown({}, { LoadState: 'bad-setting', DropInPaths: DROP_IN }, { Id: 'penguindome-submit.service' }),
  );
  t.deepEqual(more, []);
  t.is(
    trouble?.what,
    `systemd cannot use penguindome-collect.service: it is broken (bad-setting); drop-ins that count: ${DROP_IN}`,
  );
  t.regex(trouble?.advice ?? '', /systemctl revert penguindome-collect\.service.*daemon-reload/);
});

const broken = test.macro((t, unit: Partial<typeof WELL>, what: RegExp) => {
  t.regex(unitTroubles(shown({ ...unit, DropInPaths: DROP_IN }))[0]?.what ?? '', what);
});

test(
  'one that fails before the agent starts is told with its status',
  broken,
  { ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: '217' },
  /^systemd cannot start penguindome-collect\.service \(exit status 217\); drop-ins that count: \/etc/,
);
test(
  'one whose run cannot even be asked for is told with its status, though systemd calls it not due',
  broken,
  { Result: 'exec-condition', ExecCondition: CONDITION.replace('STATUS', '217') },
  /^systemd cannot start penguindome-collect\.service \(exit status 217\); drop-ins that count: \/etc/,
);
test(
  'one that is ended from outside is told with how',
  broken,
  { ActiveState: 'failed', Result: 'oom-kill', ExecMainStatus: '9' },
  /was not its own \(oom-kill\)/,
);
test('one that is masked is told', broken, { LoadState: 'masked' }, /is masked: it does not run/);
