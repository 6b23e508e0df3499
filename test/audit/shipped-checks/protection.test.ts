import test from 'ava';
import { loadChecks } from '../../../src/audit/load-checks.ts';
import type { Fields } from '../../../src/core/value.ts';
import { FAILED, tableOf } from './table-of.ts';

const protection = (facts: Fields): Fields => ({ protection: facts });

tableOf('mandatory-access-control-off', {
  'it enforces': [protection({ mac: { kind: 'apparmor', enforcing: true } }), 'pass'],
  'it does not': [protection({ mac: { kind: 'selinux', enforcing: false } }), 'fail'],
  'there is none': [protection({ mac: { kind: 'none', enforcing: false } }), 'fail'],
  'its profiles are out of sight': [protection({ mac: { kind: 'apparmor', enforcing: 'unknown' } }), 'unknown'],
  'the host cannot tell': [protection({ mac: 'unknown' }), 'unknown'],
});

const usb = (facts: Fields) =>
  protection({ usb: { usbguard: 'absent', new_devices: 'accepted', storage_blocked: false, ...facts } });
tableOf('usb-storage-allowed', {
  'a machine without USB': [protection({ mac: 'unknown' }), undefined],
  'they can be used': [usb({}), 'fail'],
  'USBGuard is stopped': [usb({ usbguard: 'stopped' }), 'fail'],
  'USBGuard runs': [usb({ usbguard: 'running' }), 'pass'],
  'a rule': [usb({ storage_blocked: true }), 'pass'],
  'the ports refuse': [usb({ new_devices: 'refused' }), 'pass'],
  'whether USBGuard runs is not known': [usb({ usbguard: 'unknown' }), 'unknown'],
  'the host cannot tell': [protection({ usb: 'unknown' }), 'unknown'],
});

const log = (auditd: string, journal: string, syslog: boolean | 'unknown') =>
  protection({ audit_log: { auditd, journal, syslog } });
tableOf('auditd-missing', {
  'it runs': [log('running', 'persistent', false), 'pass'],
  'it is stopped': [log('stopped', 'persistent', false), 'fail'],
  'it is not there': [log('absent', 'persistent', false), 'fail'],
  'the host cannot tell': [log('unknown', 'persistent', false), 'unknown'],
});
tableOf('journal-volatile', {
  'it is kept': [log('absent', 'persistent', false), 'pass'],
  'it is kept, of syslog nothing is known': [log('absent', 'persistent', 'unknown'), 'pass'],
  'it is lost, and syslog keeps one': [log('absent', 'volatile', true), 'pass'],
  'it is not known, and syslog keeps one': [log('absent', 'unknown', true), 'pass'],
  'it is lost': [log('absent', 'volatile', false), 'fail'],
  'there is none': [log('absent', 'none', false), 'fail'],
  'it is lost, of syslog nothing is known': [log('absent', 'volatile', 'unknown'), 'unknown'],
  'the host cannot tell': [log('absent', 'unknown', false), 'unknown'],
  'no plugin': [{}, 'unknown'],
});

tableOf('time-not-synchronised', {
  'it is': [protection({ time_sync: { service: 'chrony', synchronised: true } }), 'pass'],
  'a service runs and reaches nobody': [protection({ time_sync: { service: 'chrony', synchronised: false } }), 'fail'],
  'no service': [protection({ time_sync: { service: 'none', synchronised: false } }), 'fail'],
  'the service does not answer': [protection({ time_sync: { service: 'chrony', synchronised: 'unknown' } }), 'unknown'],
  'the host cannot tell': [protection({ time_sync: 'unknown' }), 'unknown'],
  'a container, whose clock is set from below': [protection({ mac: 'unknown' }), undefined],
  'the plugin failed': [{ protection: FAILED }, 'unknown'],
  'no plugin': [{}, 'unknown'],
});

tableOf('certificate-expiring-on-host', {
  none: [protection({ certificates: { checked: 3, expiring: [] } }), 'pass'],
  one: [protection({ certificates: { checked: 3, expiring: [{ path: '/etc/ssl/x.pem', class: 'soon' }] } }), 'fail'],
  'the host cannot tell': [protection({ certificates: 'unknown' }), 'unknown'],
});

const scanners = (...products: Fields[]) => protection({ antivirus: products });
const WELL = { name: 'clamav', running: true, recent: true };
tableOf('antivirus-absent', {
  none: [scanners(), 'fail'],
  one: [scanners(WELL), 'pass'],
  'the host cannot tell': [protection({ antivirus: 'unknown' }), 'unknown'],
});
tableOf('antivirus-stopped', {
  'none is installed': [scanners(), undefined],
  'it runs': [scanners(WELL), 'pass'],
  'one of two runs': [scanners({ name: 'clamav', running: false }, { name: 'eset', running: true }), 'pass'],
  'it does not run': [scanners({ name: 'clamav', running: false }), 'fail'],
  'it is not known': [scanners({ name: 'clamav', running: 'unknown' }), 'unknown'],
  'one does not run, of another it is not known': [
    scanners({ name: 'clamav', running: false }, { name: 'eset', running: 'unknown' }),
    'unknown',
  ],
});
tableOf('antivirus-out-of-date', {
  'none is installed': [scanners(), undefined],
  'it does not run': [scanners({ name: 'clamav', running: false, recent: false }), undefined],
  'it is up to date': [scanners(WELL), 'pass'],
  'its maker keeps it so': [scanners({ name: 'crowdstrike', running: true }), 'pass'],
  'it is not': [scanners({ ...WELL, recent: false }), 'fail'],
  'it is not known': [scanners({ ...WELL, recent: 'unknown' }), 'unknown'],
});

const OFF = [
  'antivirus-absent',
  'eraagent-absent',
  'eraagent-stopped',
  'eset-absent',
  'eset-out-of-date',
  'eset-stopped',
];
for (const [name, plugin, field] of [
  ['eraagent-absent', 'eraagent', 'installed'],
  ['eraagent-stopped', 'eraagent', 'running'],
  ['eset-absent', 'eset', 'installed'],
  ['eset-out-of-date', 'eset', 'recent'],
  ['eset-stopped', 'eset', 'running'],
] as const) {
  const rows = {
    'it is so': [{ [plugin]: { [field]: true } }, 'pass'],
    'it is not': [{ [plugin]: { [field]: false } }, 'fail'],
    'the host cannot tell': [{ [plugin]: { [field]: 'unknown' } }, 'unknown'],
    'no plugin': [{}, 'unknown'],
    'the plugin failed': [{ [plugin]: FAILED }, 'unknown'],
  } as const;
  tableOf(
    name,
    Object.fromEntries(Object.entries(rows).map(([title, [plugins, answer]]) => [title, [plugins, answer]])),
    { unknownFails: true },
  );
}

test('checks of products that a site may not have come switched off', async (t) => {
  const { checks } = await loadChecks(['checks.d']);
  for (const name of OFF) t.false(checks.find((check) => check.name === name)?.enabled, name);
});

const batteries = (...health: string[]) => ({
  hardware: { battery: health.map((each, index) => ({ name: `BAT${index}`, health: each })) },
});
tableOf('battery-worn', {
  'a machine without': [{ hardware: {} }, undefined],
  'as new': [batteries('good', 'fair'), 'pass'],
  'one of two': [batteries('good', 'worn'), 'fail'],
  'one, and one that is not known': [batteries('unknown', 'worn'), 'fail'],
  'it is not known': [batteries('good', 'unknown'), 'unknown'],
  'the host cannot tell': [{ hardware: { battery: 'unknown' } }, 'unknown'],
});
