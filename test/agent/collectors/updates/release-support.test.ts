import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { parseDistroInfo } from '../../../../src/agent/collectors/updates/parse-distro-info.ts';
import { whenPresent } from '../../../support/needs.ts';
import { ARCH, told } from './machine.ts';

const at = (date: string) => new Date(`${date}T12:00:00Z`);
const os = (text: string) => ({ '/etc/os-release': text });
const DEBIAN_12 = os('NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n');
const NOBLE = os('NAME=Ubuntu\nID=ubuntu\nVERSION_ID="24.04"\n');

const ROWS: Record<string, [files: Record<string, string>, date: string, expected: object]> = {
  'Debian 12, by its own makers': [DEBIAN_12, '2026-07-11', { supported: true, until: '2028-06-30', kind: 'regular' }],
  'Debian 12, by its long-term support': [
    DEBIAN_12,
    '2026-07-12',
    { supported: true, kind: 'long-term', source: 'table' },
  ],
  'Debian 12, on the last day': [DEBIAN_12, '2028-06-30', { supported: true }],
  'Debian 12, a day later': [DEBIAN_12, '2028-07-01', { supported: false, until: '2028-06-30' }],
  'Ubuntu 24.04': [NOBLE, '2027-01-01', { supported: true, until: '2029-05-31', kind: 'regular' }],
  'Ubuntu 24.04, after it': [NOBLE, '2029-06-01', { supported: false }],
  'Fedora, which says it itself': [
    os('NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nSUPPORT_END=2025-05-20\n'),
    '2025-05-14',
    { supported: true, until: '2025-05-20', source: 'os-release' },
  ],
  'Fedora, which says nothing': [os('ID=fedora\nVERSION_ID=40\n'), '2025-05-14', { supported: false, source: 'table' }],
  'RHEL, by its major version': [
    os('NAME="Red Hat Enterprise Linux"\nID=rhel\nVERSION_ID="9.4"\n'),
    '2026-01-01',
    { release: 'Red Hat Enterprise Linux 9.4', supported: true, until: '2032-05-31' },
  ],
  'CentOS 7': [os('ID=centos\nVERSION_ID="7"\n'), '2026-01-01', { supported: false, until: '2024-06-30' }],
  'AlmaLinux 10': [os('ID=almalinux\nVERSION_ID="10.0"\n'), '2026-01-01', { supported: true }],
  'Linux Mint': [os('ID=linuxmint\nVERSION_ID="21.3"\n'), '2027-05-01', { supported: false, until: '2027-04-30' }],
};
for (const [title, [files, date, expected]] of Object.entries(ROWS)) {
  test(`support on ${date}: ${title}`, async (t) => {
    t.like(await told(t, files, at(date)), { release_support: expected });
  });
}

test('Arch has no end', async (t) => {
  t.like(await told(t, ARCH), { release_support: { supported: true, until: 'none', kind: 'rolling' } });
});

for (const [title, text] of Object.entries({
  'a release that nobody knows': 'NAME=Solus\nID=solus\nVERSION_ID=4.7\n',
  'Debian testing, which makes no promise': 'NAME=Debian\nID=debian\nVERSION_CODENAME=forky\n',
  'what an object has by nature': 'ID=constructor\nVERSION_ID=toString\n',
  'a date that is none': 'ID=fedora\nVERSION_ID=99\nSUPPORT_END=2026-99-99\n',
})) {
  test(`support is unknown: ${title}`, async (t) => {
    t.like(await told(t, os(text)), { release_support: 'unknown' });
  });
}
test('without os-release support is unknown', async (t) => {
  t.like(await told(t, {}), { release_support: 'unknown' });
});

// distro-info-data 0.58
const DEBIAN_CSV =
  'version,codename,series,created,release,eol,eol-lts,eol-elts\n11,Bullseye,bullseye,2019-07-06,2021-08-14,2024-08-14,2026-08-31,2031-06-30\n12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-07-11,2029-01-01,2033-06-30\n14,Forky,forky,2025-08-09\n,Sid,sid,1993-08-16\n';
const UBUNTU_CSV =
  'version,codename,series,created,release,eol,eol-server,eol-esm,eol-legacy\n24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,2029-05-31,2029-05-31,2034-04-25,2036-04-29\n25.10,Questing Quokka,questing,2025-04-17,2025-10-09,2026-07-09\n';

test('distro-info-data, where it is installed, goes before the table', async (t) => {
  const files = { ...DEBIAN_12, '/usr/share/distro-info/debian.csv': DEBIAN_CSV };
  t.like(await told(t, files, at('2026-12-01')), {
    release_support: { supported: true, until: '2029-01-01', kind: 'long-term', source: 'distro-info-data' },
  });
});

const pro = (attached: boolean, status: string) => ({
  '/var/lib/ubuntu-advantage/status.json': JSON.stringify({ attached, services: [{ name: 'esm-infra', status }] }),
});
test('Ubuntu Pro goes on with security updates, where its service is enabled', async (t) => {
  const after = at('2029-06-01');
  for (const csv of [{}, { '/usr/share/distro-info/ubuntu.csv': UBUNTU_CSV }]) {
    t.like(await told(t, { ...NOBLE, ...csv, ...pro(true, 'enabled') }, after), {
      release_support: { supported: true, until: '2034-04-25', kind: 'long-term', source: 'Ubuntu Pro' },
    });
    t.like(await told(t, { ...NOBLE, ...csv, ...pro(true, 'disabled') }, after), {
      release_support: { supported: false },
    });
    t.like(await told(t, { ...NOBLE, ...csv, ...pro(false, 'enabled') }, after), {
      release_support: { supported: false },
    });
  }
});

test('a CSV that is cut off or of other columns is not believed', (t) => {
  t.deepEqual(parseDistroInfo(DEBIAN_CSV, '12'), { until: '2029-01-01', regular: '2026-07-11' });
  t.deepEqual(parseDistroInfo(UBUNTU_CSV, '25.10'), { until: '2026-07-09' });
  for (const text of [
    '',
    'version\n12\n',
    DEBIAN_CSV.replace('2029-01-01', '2029-01-'),
    DEBIAN_CSV.slice(0, 160),
    '\u0000',
  ])
    t.is(parseDistroInfo(text, '12'), undefined, text);
  t.is(parseDistroInfo(DEBIAN_CSV, '14'), undefined);
  t.is(parseDistroInfo(DEBIAN_CSV, ''), undefined);
});

const CSV = '/usr/share/distro-info/debian.csv';
whenPresent(existsSync(CSV), 'distro-info-data')("this machine's distro-info-data is made out", (t) => {
  t.deepEqual(parseDistroInfo(readFileSync(CSV, 'utf8'), '11'), { until: '2026-08-31', regular: '2024-08-14' });
});
