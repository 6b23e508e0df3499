import test from 'ava';
import { protection } from '../../../../src/agent/collectors/protection/index.ts';
import { parseClamHeader, parseMdatp } from '../../../../src/agent/collectors/protection/parse-antivirus.ts';
import { saying } from '../host-in-folder.ts';
import { look, running } from '../look.ts';

const NOW = { host: { now: () => new Date('2026-03-02T10:00:00Z') } };
const header = (when: string) => `ClamAV-VDB:${when}:27926:2076510:90:5f0c:abc:raynman:1772438400`.padEnd(512);
const FRESH = { '/var/lib/clamav/daily.cld': `${header('01 Mar 2026 08-24 +0000')}${'\u0000'.repeat(10_000)}` };
const OLD = { '/var/lib/clamav/daily.cvd': header('20 Feb 2026 08-24 +0000') };
const CLAMD = { '/usr/bin/clamd': saying(''), ...running('clamd', { uid: 110 }) };
const INIT = { '/proc/1/comm': 'systemd\n' };
/** `mdatp health --output json`, cut to what counts; newer versions say who set a value. */
const mdatp = (real: unknown, definitions: unknown, healthy = true) =>
  saying(JSON.stringify({ healthy, licensed: true, realTimeProtectionEnabled: real, definitionsStatus: definitions }));
const FALCON = {
  '/opt/CrowdStrike/falconctl': saying('rfm-state=false.\n'),
  ...running('falcon-sensor-bpf'.slice(0, 15)),
};

const MACHINES: Record<string, [files: Record<string, string>, products: object[]]> = {
  'none at all': [INIT, []],
  'ClamAV, at work': [{ ...CLAMD, ...FRESH }, [{ name: 'clamav', running: true, recent: true }]],
  'ClamAV that is not updated': [{ ...CLAMD, ...OLD }, [{ name: 'clamav', running: true, recent: false }]],
  'ClamAV that was never updated': [CLAMD, [{ name: 'clamav', running: true, recent: 'unknown' }]],
  'clamscan alone': [
    { ...INIT, ...FRESH, '/usr/bin/clamscan': saying('') },
    [{ name: 'clamav', running: false, recent: true }],
  ],
  'somebody who calls a process clamd': [
    { ...FRESH, '/usr/bin/clamd': saying(''), ...running('clamd', { uid: 1000 }) },
    [{ name: 'clamav', running: false, recent: true }],
  ],
  'Defender, at work': [
    { ...INIT, '/usr/bin/mdatp': mdatp({ value: true }, { $type: 'upToDate' }) },
    [{ name: 'defender', running: true, recent: true }],
  ],
  'Defender as older versions tell it': [
    { ...INIT, '/usr/bin/mdatp': mdatp(true, 'up_to_date') },
    [{ name: 'defender', running: true, recent: true }],
  ],
  'Defender that only looks on': [
    { ...INIT, '/usr/bin/mdatp': mdatp({ value: false }, { $type: 'outOfDate' }) },
    [{ name: 'defender', running: false, recent: false }],
  ],
  'Defender that is not well': [
    { ...INIT, '/usr/bin/mdatp': mdatp(true, 'up_to_date', false) },
    [{ name: 'defender', running: false, recent: true }],
  ],
  'Defender whose daemon does not run': [
    { ...INIT, '/usr/bin/mdatp': saying('Could not connect to the daemon', 4) },
    [{ name: 'defender', running: false }],
  ],
  'Defender that says something else': [
    { ...INIT, '/usr/bin/mdatp': saying('ATTENTION: no license found') },
    [{ name: 'defender', running: 'unknown', recent: 'unknown' }],
  ],
  'CrowdStrike, at work': [FALCON, [{ name: 'crowdstrike', running: true }]],
  'CrowdStrike in reduced functionality mode': [
    { ...FALCON, '/opt/CrowdStrike/falconctl': saying('rfm-state=true.\n') },
    [{ name: 'crowdstrike', running: false }],
  ],
  'CrowdStrike, stopped': [
    { ...INIT, '/opt/CrowdStrike/falconctl': saying('rfm-state=false.\n') },
    [{ name: 'crowdstrike', running: false }],
  ],
  'CrowdStrike, to who is not root': [
    { ...FALCON, '/opt/CrowdStrike/falconctl': saying('ERROR: must be run as root', 1) },
    [{ name: 'crowdstrike', running: 'unknown' }],
  ],
  'SentinelOne and Carbon Black': [
    {
      '/opt/sentinelone/bin/sentinelctl': saying(''),
      '/opt/carbonblack/psc/bin/cbagentd': saying(''),
      ...running('s1-agent'),
    },
    [
      { name: 'carbon_black', running: false },
      { name: 'sentinelone', running: true },
    ],
  ],
  ESET: [
    { '/opt/eset/eea/sbin/startd': saying(''), ...running('startd') },
    [{ name: 'eset', running: true, recent: 'unknown' }],
  ],
};
for (const [title, [files, products]] of Object.entries(MACHINES)) {
  test(`antivirus: ${title}`, async (t) => {
    const answer = await look(t, protection, files, NOW);
    t.deepEqual(Object(answer).antivirus, products);
  });
}

test('antivirus: cut, binary and enormous outputs tell nothing', (t) => {
  for (const text of [
    '',
    '{',
    '[]',
    '"x"',
    'null',
    '\u0000\uFFFD',
    '{"healthy":1}',
    `{"a":"${'x'.repeat(1_000_000)}`,
  ]) {
    t.deepEqual(parseMdatp(text), {});
    t.is(parseClamHeader(text), undefined);
  }
  for (const when of ['99 Foo 2026 08-24 +0000', '1 Mar 2026', '']) t.is(parseClamHeader(header(when)), undefined);
});
