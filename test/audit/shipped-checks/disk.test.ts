import type { Fields, Value } from '../../../src/core/value.ts';
import { judgeTable } from './judge-table.ts';

const FAILED = { stdout: '', stderr: 'boom', returncode: 1 };

const swap = (...types: string[]): Fields => ({ disk: { swap: types.map((type) => ({ device: '/dev/x', type })) } });
judgeTable('swap-unencrypted', {
  'no swap': [swap(), 'pass'],
  'encrypted, and zram': [swap('encrypted', 'zram'), 'pass'],
  'one of two is plain': [swap('zram', 'plain'), 'fail'],
  'one is plain and one cannot be told': [swap('unknown', 'plain'), 'fail'],
  'one cannot be told': [swap('zram', 'unknown'), 'unknown'],
  'none can be told': [{ disk: { swap: 'unknown' } }, 'unknown'],
  'no such fact': [{ disk: {} }, 'unknown'],
  'the collector failed': [{ disk: FAILED }, 'unknown'],
});

const volume = (version: number, slots: Value, cipher = 'aes-xts-plain64') => ({
  device: '/dev/mapper/x',
  version,
  cipher,
  slots,
});
const slot = (kdf: string, opened_by = 'passphrase') => ({ slot: 0, kdf, opened_by });
const luks = (...volumes: Fields[]): Fields => ({ disk: { luks: volumes } });
const GOOD = volume(2, [slot('argon2id')]);
judgeTable('luks-weak', {
  'no LUKS': [luks(), 'pass'],
  'Argon2 only': [luks(GOOD, volume(2, [slot('argon2i')])), 'pass'],
  'PBKDF2 for what a TPM, a token or a recovery key opens': [
    luks(volume(2, [slot('argon2id'), slot('pbkdf2', 'tpm2'), slot('pbkdf2', 'fido2'), slot('pbkdf2', 'recovery')])),
    'pass',
  ],
  'a passphrase behind PBKDF2': [luks(GOOD, volume(2, [slot('argon2id'), slot('pbkdf2')])), 'fail'],
  LUKS1: [luks(volume(1, [slot('pbkdf2')])), 'fail'],
  'one is weak, of another the header is elsewhere': [luks(volume(2, 'unknown'), volume(2, [slot('pbkdf2')])), 'fail'],
  'the header is elsewhere': [luks(GOOD, volume(2, 'unknown', 'unknown')), 'unknown'],
  'cannot be told': [{ disk: { luks: 'unknown' } }, 'unknown'],
  'the collector failed': [{ disk: FAILED }, 'unknown'],
});

judgeTable('luks-null-cipher', {
  'no LUKS': [luks(), 'pass'],
  'a real cipher': [luks(GOOD), 'pass'],
  'the null cipher': [luks(GOOD, volume(2, [slot('argon2id')], 'cipher_null-ecb')), 'fail'],
  'the null cipher, and one that cannot be told': [
    luks(volume(2, 'unknown', 'unknown'), volume(2, [], 'cipher_null-ecb')),
    'fail',
  ],
  'the header is elsewhere': [luks(volume(2, 'unknown', 'unknown')), 'unknown'],
  'cannot be told': [{ disk: { luks: 'unknown' } }, 'unknown'],
});

const zfs = (...encrypted: Value[]): Fields => ({
  disk: { zfs_encryption: encrypted.map((each) => ({ mountpoint: '/', dataset: 'rpool', encrypted: each })) },
});
judgeTable('zfs-unencrypted', {
  'no ZFS': [{ disk: {} }, 'not for it'],
  'all are encrypted': [zfs(true, true), 'pass'],
  'one is not': [zfs(true, false), 'fail'],
  'one is not, and one cannot be told': [zfs('unknown', false), 'fail'],
  'one cannot be told': [zfs(true, 'unknown'), 'unknown'],
  'zfs is not installed': [{ disk: { zfs_encryption: 'unknown' } }, 'unknown'],
});

const smart = (...disks: Fields[]): Fields => ({
  disk: { smart: disks.map((each) => ({ device: '/dev/sda', ...each })) },
});
judgeTable('disk-failing', {
  'no disk that has SMART': [{ disk: {} }, 'not for it'],
  healthy: [smart({ health: 'passed' }, { health: 'unsupported' }), 'pass'],
  'one fails': [smart({ health: 'passed' }, { health: 'failing' }), 'fail'],
  'one fails, and one sleeps': [smart({ health: 'unknown' }, { health: 'failing' }), 'fail'],
  'one sleeps': [smart({ health: 'passed' }, { health: 'unknown' }), 'unknown'],
  'smartctl is not installed': [{ disk: { smart: 'unknown' } }, 'unknown'],
});

judgeTable('disk-worn-out', {
  'no disk that has SMART': [{ disk: {} }, 'not for it'],
  'fresh flash, and a rotating disk': [smart({ health: 'passed', wear: 'ok' }, { health: 'passed' }), 'pass'],
  worn: [smart({ health: 'passed', wear: 'worn' }), 'fail'],
  'worn out': [smart({ health: 'passed' }, { health: 'passed', wear: 'worn-out' }), 'fail'],
  'smartctl is not installed': [{ disk: { smart: 'unknown' } }, 'unknown'],
});

const space = (...low: Value[]): Fields => ({
  disk: { free_space: low.map((each) => ({ mountpoint: '/', low: each })) },
});
judgeTable('disk-nearly-full', {
  'no disk': [{ disk: {} }, 'not for it'],
  'room enough': [space(false, false), 'pass'],
  'one is nearly full': [space(false, true), 'fail'],
  'one is nearly full, and one cannot be told': [space('unknown', true), 'fail'],
  'one cannot be told': [space(false, 'unknown'), 'unknown'],
  'none can be told': [{ disk: { free_space: 'unknown' } }, 'unknown'],
});
