import test from 'ava';
import { protection } from '../../../../src/agent/collectors/protection/index.ts';
import { parseNtpctl, parseNtpq, parseTracking } from '../../../../src/agent/collectors/protection/time-sync.ts';
import { saying } from '../host-in-folder.ts';
import { look, running } from '../look.ts';

/** chronyc 4.5 of Debian 13 and 4.3 of Debian 12 print these 14 fields (chronyc(1), "tracking"). */
const SYNCED =
  'CB00710F,203.0.113.15,3,1772445600.000000000,-0.000001501,-0.000001632,0.000002360,-3.331,0.002,0.124,0.000373169,0.000780177,64.2,Normal\n';
const NOT_SYNCED =
  '7F7F0101,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised\n';

const MACHINES: Record<string, [files: Record<string, string>, answer: object]> = {
  'nothing sets the clock': [{ '/proc/1/comm': 'systemd\n' }, { service: 'none', synchronised: false }],
  'chrony, in time': [
    { ...running('chronyd', { uid: 105 }), '/usr/bin/chronyc': saying(SYNCED) },
    { service: 'chrony', synchronised: true },
  ],
  'chrony runs and has found no server': [
    { ...running('chronyd'), '/usr/bin/chronyc': saying(NOT_SYNCED) },
    { service: 'chrony', synchronised: false },
  ],
  'chrony does not answer': [
    { ...running('chronyd'), '/usr/bin/chronyc': saying('506 Cannot talk to daemon', 1) },
    { service: 'chrony', synchronised: 'unknown' },
  ],
  'chrony without its client': [running('chronyd'), { service: 'chrony', synchronised: 'unknown' }],
  'chrony is installed and stopped': [
    { '/proc/1/comm': 'systemd\n', '/usr/bin/chronyc': saying(SYNCED) },
    { service: 'none', synchronised: false },
  ],
  'timesyncd has heard of a server': [
    { ...running('systemd-timesyn', { uid: 997 }), '/run/systemd/timesync/synchronized': '' },
    { service: 'systemd-timesyncd', synchronised: true },
  ],
  'timesyncd has not': [running('systemd-timesyn'), { service: 'systemd-timesyncd', synchronised: false }],
  'ntpd, in time': [
    { ...running('ntpd'), '/usr/bin/ntpq': saying('leap=00, stratum=2\n') },
    { service: 'ntpd', synchronised: true },
  ],
  'ntpd that was never set': [
    { ...running('ntpd'), '/usr/bin/ntpq': saying('leap=11, stratum=16\n') },
    { service: 'ntpd', synchronised: false },
  ],
  'OpenNTPD, in time': [
    { ...running('ntpd'), '/usr/bin/ntpctl': saying('4/4 peers valid, clock synced, stratum 2\n') },
    { service: 'ntpd', synchronised: true },
  ],
  'OpenNTPD, not yet': [
    { ...running('ntpd'), '/usr/bin/ntpctl': saying('0/4 peers valid, clock unsynced\n') },
    { service: 'ntpd', synchronised: false },
  ],
  'ntpd without its clients': [running('ntpd'), { service: 'ntpd', synchronised: 'unknown' }],
};
for (const [title, [files, answer]] of Object.entries(MACHINES)) {
  test(`time: ${title}`, async (t) => {
    t.like(await look(t, protection, files), { time_sync: answer });
  });
}

for (const mark of ['/run/systemd/container', '/.dockerenv', '/run/.containerenv']) {
  test(`time: where ${mark} tells of a container, nothing is said unless a service runs in it`, async (t) => {
    const files = { '/proc/1/comm': 'systemd\n', [mark]: 'lxc' };
    t.false(Object.hasOwn(Object(await look(t, protection, files)), 'time_sync'));
    t.like(await look(t, protection, { ...files, ...running('systemd-timesyn') }), {
      time_sync: { service: 'systemd-timesyncd', synchronised: false },
    });
  });
}

test('time: where /proc hides the processes of others it is unknown', async (t) => {
  t.like(await look(t, protection, { '/proc/300/comm': 'chronyd\n' }), { time_sync: 'unknown' });
});

for (const text of [
  '',
  'x',
  'a,b,c',
  NOT_SYNCED.slice(0, 60),
  `${SYNCED}${SYNCED}`,
  SYNCED.replace('Normal', 'Odd'),
  '\u0000\uFFFD',
  ','.repeat(1_000_000),
]) {
  test(`time: ${text.length} characters that start "${text.slice(0, 20)}" tell nothing`, (t) => {
    t.is(parseTracking(text), undefined);
    t.is(parseNtpq(text), undefined);
    t.is(parseNtpctl(text), undefined);
  });
}

test('time: a clock that goes by itself is not set by anybody', (t) => {
  t.false(parseTracking(SYNCED.replace('CB00710F,203.0.113.15', '7F7F0101,')));
});

test('time: a second that is put in does not mean that the clock is wrong', (t) => {
  t.true(parseTracking(SYNCED.replace('Normal', 'Insert second')));
  t.true(parseNtpq('status=0415 leap_add_sec, sync_ntp, 1 event,\nstratum=2'));
  t.false(parseNtpq('status=c016 leap_alarm, sync_unspec, 1 event\n'));
});
