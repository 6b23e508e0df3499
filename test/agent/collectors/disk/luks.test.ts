import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { HostAccess } from '../../../../src/agent/collector.ts';
import { luks } from '../../../../src/agent/collectors/disk/luks.ts';
import { whenPresent } from '../../../support/needs.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { tell, tellOf } from '../fact.ts';
import { hostInFolder, memory, plant, saying, thisHost } from '../host-in-folder.ts';
import { disk, mapping, stick } from './sysfs.ts';

const CRYPTSETUP = '/usr/sbin/cryptsetup';
const real = whenPresent(existsSync(CRYPTSETUP), 'cryptsetup (cryptsetup-bin)');

const FAST = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
const ARGON = ['--pbkdf', 'argon2id', '--pbkdf-force-iterations', '4', '--pbkdf-memory', '32', '--pbkdf-parallel', '1'];

interface Machine {
  host: HostAccess;
  /** Runs the real cryptsetup on the image; its key file is `key`, a second one `other`. */
  cryptsetup(...args: string[]): void;
  image: string;
  key: string;
  other: string;
}

/** A machine whose disk vdb is an image file, on which the volume cx is said to be open. */
async function machine(t: ExecutionContext, version: 1 | 2): Promise<Machine> {
  const folder = await scratchFolder(t);
  const [image, key, other] = [join(folder, 'dev/vdb'), join(folder, 'key'), join(folder, 'other')];
  await plant(folder, { ...disk('vdb'), ...mapping('dm-0', 'cx', `CRYPT-LUKS${version}-0a1b-cx`, 'vdb') });
  await mkdir(dirname(image), { recursive: true });
  await writeFile(image, '');
  await truncate(image, 20 * 1024 * 1024);
  await writeFile(key, 'correct horse');
  await writeFile(other, 'battery staple');
  const inFolder = hostInFolder(t, folder);
  const here = thisHost(t);
  const host: HostAccess = {
    ...inFolder,
    isRoot: true,
    find: (program) => here.find(program),
    run: (path, args, options) =>
      here.run(
        path,
        args.map((arg) => (arg.startsWith('/dev/') ? join(folder, arg) : arg)),
        options,
      ),
  };
  const cryptsetup = (...args: string[]) => void execFileSync(CRYPTSETUP, ['--batch-mode', ...args], { stdio: 'pipe' });
  return { host, cryptsetup, image, key, other };
}

real('LUKS1: version, cipher, and its enabled slots', async (t) => {
  const { host, cryptsetup, image, key, other } = await machine(t, 1);
  cryptsetup('luksFormat', '--type', 'luks1', ...FAST, image, key);
  cryptsetup('luksAddKey', ...FAST, '--key-file', key, '--key-slot', '3', image, other);
  const slots = [0, 3].map((slot) => ({ slot, kdf: 'pbkdf2', opened_by: 'passphrase' }));
  const { value } = await tell(luks, host);
  t.deepEqual(value, [{ device: '/dev/mapper/cx', version: 1, cipher: 'aes-xts-plain64', slots }]);
});

real('LUKS2: each slot with its key derivation, and no keys, salts or digests', async (t) => {
  const { host, cryptsetup, image, key, other } = await machine(t, 2);
  cryptsetup('luksFormat', '--type', 'luks2', ...ARGON, image, key);
  cryptsetup('luksAddKey', ...FAST, '--key-file', key, image, other);
  const { value } = await tell(luks, host);
  t.deepEqual(value, [
    {
      device: '/dev/mapper/cx',
      version: 2,
      cipher: 'aes-xts-plain64',
      slots: [
        { slot: 0, kdf: 'argon2id', opened_by: 'passphrase' },
        { slot: 1, kdf: 'pbkdf2', opened_by: 'passphrase' },
      ],
    },
  ]);
});

/** As systemd-cryptenroll writes it; systemd's plug-in for cryptsetup, where it is installed, takes nothing less. */
const TPM2 = {
  type: 'systemd-tpm2',
  keyslots: ['1'],
  'tpm2-blob': 'QUJDREVGR0g=',
  'tpm2-pcrs': [7],
  'tpm2-pcr-bank': 'sha256',
  'tpm2-primary-alg': 'ecc',
  'tpm2-policy-hash': 'a5'.repeat(32),
  'tpm2-pin': true,
};

real('LUKS2: a slot that a TPM opens is told by its token', async (t) => {
  const { host, cryptsetup, image, key, other } = await machine(t, 2);
  cryptsetup('luksFormat', '--type', 'luks2', ...ARGON, image, key);
  cryptsetup('luksAddKey', ...FAST, '--key-file', key, image, other);
  const token = join(dirname(key), 'token.json');
  await writeFile(token, JSON.stringify(TPM2));
  cryptsetup('token', 'import', '--json-file', token, image);
  const { value } = await tell(luks, host);
  t.like(value, [{ slots: [{ opened_by: 'passphrase' }, { slot: 1, kdf: 'pbkdf2', opened_by: 'tpm2', pin: true }] }]);
});

real('an erased volume has no slots left, though it still is LUKS', async (t) => {
  const { host, cryptsetup, image, key } = await machine(t, 2);
  cryptsetup('luksFormat', '--type', 'luks2', ...FAST, image, key);
  cryptsetup('erase', image);
  t.like((await tell(luks, host)).value, [{ version: 2, slots: [] }]);
});

real('where the header is kept elsewhere, only the version is told', async (t) => {
  const { host, cryptsetup, image, key } = await machine(t, 2);
  cryptsetup('luksFormat', '--type', 'luks2', ...FAST, '--header', `${key}.header`, image, key);
  const told = await tell(luks, host);
  t.deepEqual(told.value, [{ device: '/dev/mapper/cx', version: 2, cipher: 'unknown', slots: 'unknown' }]);
  t.like(told.reasons, { 'luks.0.slots': 'no LUKS header is on vdb: it may be kept elsewhere' });
});

real('a header that was overwritten is unknown, not an error', async (t) => {
  const { host, image } = await machine(t, 2);
  await writeFile(image, Buffer.alloc(20 * 1024 * 1024, 0xa5));
  t.like((await tell(luks, host)).value, [{ version: 2, slots: 'unknown' }]);
});

real('what was told is told again for a day without looking, and what was unknown is not', async (t) => {
  const { host, cryptsetup, image, key } = await machine(t, 2);
  const tools = memory();
  t.like((await tell(luks, host, tools)).value, [{ slots: 'unknown' }]);
  cryptsetup('luksFormat', '--type', 'luks2', ...FAST, image, key);
  t.like((await tell(luks, host, tools)).value, [{ slots: [{ slot: 0 }] }]);
  cryptsetup('erase', image);
  t.like((await tell(luks, host, tools)).value, [{ slots: [{ slot: 0 }] }]);
});

const JSON_HEADER = '{"keyslots":{},"tokens":{},"segments":{"0":{"type":"crypt","encryption":"aes-xts-plain64"}}}';
/** Answers for one device, and for the others that they hold no header. */
const answering = (device: string) =>
  `#!/bin/sh\nfor last; do :; done\n[ "$last" = ${device} ] || { echo "Device $last is not a valid LUKS device." >&2; exit 1; }\necho '${JSON_HEADER}'\n`;

test('with integrity protection the header is two devices below', async (t) => {
  const { value } = await tellOf(t, luks, {
    ...disk('vdb'),
    ...mapping('dm-0', 'cx_dif', 'CRYPT-INTEGRITY-0a1b-cx_dif', 'vdb'),
    ...mapping('dm-1', 'cx', 'CRYPT-LUKS2-0a1b-cx', 'dm-0'),
    '/usr/bin/cryptsetup': answering('/dev/vdb'),
  });
  t.deepEqual(value, [{ device: '/dev/mapper/cx', version: 2, cipher: 'aes-xts-plain64', slots: [] }]);
});

test('on LVM the header is on the logical volume', async (t) => {
  const { value } = await tellOf(t, luks, {
    ...disk('vdb'),
    ...mapping('dm-0', 'vg-root', 'LVM-abc', 'vdb'),
    ...mapping('dm-1', 'cx', 'CRYPT-LUKS2-0a1b-cx', 'dm-0'),
    '/usr/bin/cryptsetup': answering('/dev/dm-0'),
  });
  t.like(value, [{ device: '/dev/mapper/cx', slots: [] }]);
});

test('plain dm-crypt, LVM and volumes on sticks are none of it; the list is sorted by name', async (t) => {
  const { value } = await tellOf(t, luks, {
    ...disk('vdb'),
    ...stick('sdc'),
    ...mapping('dm-0', 'z', 'CRYPT-LUKS2-1-z', 'vdb'),
    ...mapping('dm-1', 'cs', 'CRYPT-PLAIN-cs', 'vdb'),
    ...mapping('dm-2', 'a', 'CRYPT-LUKS2-2-a', 'vdb'),
    ...mapping('dm-3', 'stick', 'CRYPT-LUKS2-3-stick', 'sdc'),
    '/usr/bin/cryptsetup': answering('/dev/vdb'),
  });
  t.like(value, [{ device: '/dev/mapper/a' }, { device: '/dev/mapper/z' }]);
  t.is(Array.isArray(value) ? value.length : 0, 2);
});

const OPEN = { ...disk('vdb'), ...mapping('dm-0', 'cx', 'CRYPT-LUKS2-0a1b-cx', 'vdb') };

test('without LUKS the list is empty, whoever asks; else it takes cryptsetup and root', async (t) => {
  t.deepEqual((await tellOf(t, luks, disk('vdb'), { isRoot: false })).value, []);
  t.deepEqual((await tellOf(t, luks, OPEN)).reasons, { luks: 'cryptsetup is not installed' });
  const installed = { ...OPEN, '/usr/bin/cryptsetup': answering('/dev/vdb') };
  t.deepEqual((await tellOf(t, luks, installed, { isRoot: false })).reasons, {
    luks: 'only root may read the headers',
  });
  t.deepEqual((await tellOf(t, luks, {})).reasons, { luks: 'sysfs does not show the block devices' });
});

for (const [what, program] of [
  ['prints nothing', saying('')],
  ['prints no JSON', saying('LUKS header information')],
  ['prints megabytes', '#!/bin/sh\nhead -c 3000000 /dev/zero\n'],
  ['is killed', '#!/bin/sh\nkill -9 $$\n'],
] as const) {
  test(`a cryptsetup that ${what}: the slots are unknown`, async (t) => {
    const { value } = await tellOf(t, luks, { ...OPEN, '/usr/bin/cryptsetup': program });
    t.deepEqual(value, [{ device: '/dev/mapper/cx', version: 2, cipher: 'unknown', slots: 'unknown' }]);
  });
}
