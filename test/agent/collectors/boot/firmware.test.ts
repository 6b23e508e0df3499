import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { firmware } from '../../../../src/agent/collectors/boot/firmware.ts';
import { parseSecurity, parseUpdates } from '../../../../src/agent/collectors/boot/parse-fwupd.ts';
import { days, hours } from '../../../../src/core/duration.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { tell, tellOf } from '../fact.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';

/** A fwupdmgr that answers `get-updates` and `security`. */
const fwupdmgr = (updates: string, code: number, security = '{}') =>
  `#!/bin/sh\ncase $1 in\nget-updates) cat <<'EOF'\n${updates}\nEOF\necho "Firmware metadata has not been updated" >&2; exit ${code};;\n*) cat <<'EOF'\n${security}\nEOF\nesac\n`;

const device = (Name: string, Version: string, ...releases: string[]) => ({
  Name,
  Version,
  DeviceId: '8be4cbd5f33a57bd5ac69de9004c4e5ecc91325f',
  Serial: 'S1',
  ...(releases.length === 0 ? {} : { Releases: releases.map((each) => ({ AppstreamId: 'x', Version: each })) }),
});
const SYSTEM = device('System Firmware', '0.1.52', '0.1.56', '0.1.54');
const UPDATES = JSON.stringify({ Devices: [device('UEFI dbx', '217', '371'), SYSTEM, device('TPM', '7.2')] });
/** fwupd's error for it, as versions since 1.8.11 print it, with status 2. */
const NOTHING = JSON.stringify({ Error: { Domain: 'FwupdError', Code: 9, Message: 'No updatable devices' } });
const FAILED = JSON.stringify({ Error: { Domain: 'FwupdError', Code: 4, Message: 'PolicyKit files are missing' } });
const FOUND = [
  { device: 'System Firmware', version: '0.1.52', available: '0.1.56' },
  { device: 'UEFI dbx', version: '217', available: '371' },
];

for (const [what, stdout, code, told] of [
  ['updates, sorted, each to its newest release', UPDATES, 0, FOUND],
  ['nothing to do, as JSON', NOTHING, 2, []],
  ['nothing to do, as status alone', '', 2, []],
  ['devices without releases', JSON.stringify({ Devices: [device('TPM', '7.2')] }), 0, []],
  ['another error', FAILED, 1, undefined],
  ['nothing', '', 0, undefined],
  ['JSON that is cut off', UPDATES.slice(0, -9), 0, undefined],
  ['an object for the devices', '{"Devices":{}}', 0, undefined],
  ['text', 'Devices with no available firmware updates', 0, undefined],
  ['something, and is killed', UPDATES, null, undefined],
] as const) {
  test(`get-updates prints ${what}`, (t) => t.deepEqual(parseUpdates(stdout, code), told && [...told]));
}

const attribute = (HsiLevel: number, ...Flags: string[]) => ({ AppstreamId: 'org.fwupd.hsi.X', HsiLevel, Flags });
const OK = 'success';

for (const [what, attributes, told] of [
  ['all is well up to level 2', [attribute(1, OK), attribute(2, OK), attribute(3), attribute(4, OK)], 2],
  ['something of level 1 is missing', [attribute(1, OK), attribute(1), attribute(2, OK)], 0],
  ['a fault that another attribute has obsoleted', [attribute(1, OK), attribute(1, 'obsoleted'), attribute(2, OK)], 2],
  ['a level that nothing was found at is no fault', [attribute(1, OK), attribute(3, OK)], 3],
  ['runtime attributes have no level', [attribute(1, OK), { Flags: ['runtime-issue'] }], 1],
  ['something could not be looked at', [attribute(1, OK), attribute(1, 'missing-data')], undefined],
  ['no attributes, as in a virtual machine', [], undefined],
] as const) {
  test(`Host Security ID, ${what}: ${told}`, (t) => {
    t.is(parseSecurity(JSON.stringify({ HostSecurityAttributes: attributes })), told);
  });
}

test('what is no answer to `security` tells no Host Security ID', (t) => {
  for (const text of ['', '[]', '{"HostSecurityAttributes":5}', FAILED, '\0\uFFFD'])
    t.is(parseSecurity(text), undefined);
});

const LIST = '/var/lib/fwupd/metadata/lvfs/firmware.xml.zst';

/** A machine whose list of firmware was fetched so long ago. */
async function machine(t: ExecutionContext, program: string, age: number, list = LIST) {
  const folder = await scratchFolder(t);
  await plant(folder, { '/usr/bin/fwupdmgr': program, [list]: '' });
  const host = hostInFolder(t, folder);
  const then = new Date(host.now().getTime() - age);
  await utimes(join(folder, list), then, then);
  return { folder, host };
}

const SECURITY = JSON.stringify({ HostSecurityAttributes: [attribute(1, OK)] });

test('updates and the Host Security ID are told', async (t) => {
  const { host } = await machine(t, fwupdmgr(UPDATES, 0, SECURITY), days(1));
  t.deepEqual(await tell(firmware, host), { value: { hsi: 1, updates: FOUND }, reasons: undefined });
});

test('that there are none is believed of lists that are younger than 30 days', async (t) => {
  const young = await machine(t, fwupdmgr(NOTHING, 2), days(29));
  t.deepEqual((await tell(firmware, young.host)).value, { updates: [] });
  const old = await machine(t, fwupdmgr(NOTHING, 2, SECURITY), days(31));
  t.deepEqual(await tell(firmware, old.host), {
    value: { hsi: 1, updates: 'unknown' },
    reasons: { 'firmware.updates': 'the list of firmware is more than 30 days old (fwupdmgr refresh)' },
  });
  t.deepEqual((await tellOf(t, firmware, { '/usr/bin/fwupdmgr': fwupdmgr(NOTHING, 2) })).reasons, {
    'firmware.updates': 'the list of firmware was never fetched (fwupdmgr refresh)',
  });
});

test('the list is found where fwupd keeps it, whatever its version', async (t) => {
  for (const list of [
    '/var/lib/fwupd/metadata/lvfs/metadata.xml.gz',
    LIST,
    '/var/lib/fwupd/remotes.d/lvfs/metadata.xml.gz',
    '/var/lib/fwupd/remotes.d/lvfs/firmware.xml.zst',
  ]) {
    const { host } = await machine(t, fwupdmgr(NOTHING, 2), days(1), list);
    t.deepEqual((await tell(firmware, host)).value, { updates: [] }, list);
  }
  const { host } = await machine(t, fwupdmgr(NOTHING, 2), days(1), `${LIST}.jcat`);
  t.deepEqual((await tell(firmware, host)).value, { updates: 'unknown' });
});

test('an update is told of old lists, too', async (t) => {
  const { host } = await machine(t, fwupdmgr(UPDATES, 0), days(90));
  t.deepEqual((await tell(firmware, host)).value, { updates: FOUND });
});

test('where fwupd fails or is not there it is unknown, with the reason', async (t) => {
  const { host } = await machine(t, fwupdmgr(FAILED, 1), days(1));
  t.deepEqual((await tell(firmware, host)).reasons, {
    'firmware.updates': 'fwupdmgr get-updates failed: Firmware metadata has not been updated',
  });
  t.deepEqual((await tellOf(t, firmware, {})).reasons, { firmware: 'fwupd is not installed' });
});

test('what was unknown is told again for 6 hours, without starting the daemon', async (t) => {
  const { folder, host } = await machine(t, fwupdmgr(FAILED, 1), days(1));
  const tools = memory();
  const updates = async (later: number) => {
    const { value } = await tell(firmware, { ...host, now: () => new Date(Date.now() + later) }, tools);
    return value;
  };
  t.like(await updates(0), { updates: 'unknown' });
  await plant(folder, { '/usr/bin/fwupdmgr': fwupdmgr(UPDATES, 0) });
  t.like(await updates(hours(5)), { updates: 'unknown' });
  t.like(await updates(hours(7)), { updates: FOUND });
});
