import type { FactDoc } from '../doc.ts';
import { freeSpace } from './free-space.ts';
import { homeEncryption } from './home-encryption.ts';
import { luks } from './luks.ts';
import { smart } from './smart.ts';
import { swap } from './swap.ts';
import { zfsEncryption } from './zfs-encryption.ts';

export const diskDocs: readonly FactDoc[] = [
  {
    fact: freeSpace,
    tells:
      'whether the file systems that are written to (those of `hd_encryption`, and /boot) are nearly full: less than 5 % free, but at least 1 GiB or a fifth of a small one, and at most 20 GiB; low stays low until there is half as much again',
    reads: ['/proc/1/mountinfo', '`df`'],
    shape: '[{mountpoint, low: true | false | "unknown"}]',
    cost: '4 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['df(1) of coreutils 9.1'],
  },
  {
    fact: homeEncryption,
    tells:
      "how each person's home is encrypted by itself, whatever the disk below is; read without opening any of them",
    reads: [
      '/etc/passwd',
      '`/home/.ecryptfs/*/.ecryptfs/Private.mnt`',
      '`/var/lib/systemd/home/*.identity`',
      '`lsattr -d` where a file system has `.fscrypt`',
    ],
    root: "systemd-homed's accounts are not seen",
    shape: '[{user, by: "none" | "ecryptfs" | "fscrypt" | "homed-luks" | "homed-fscrypt" | "unknown"}]',
    cost: '1 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['ecryptfs-setup-private(1)', 'chattr(1) and lsattr(1)', 'systemd.io/USER_RECORD'],
  },
  {
    fact: luks,
    tells:
      'of each LUKS volume that is open and not on a stick: version, cipher, and for each key slot the key derivation and what opens it (a slot that a TPM or token opens has PBKDF2 on purpose: its key cannot be guessed); no keys, salts or digests',
    reads: ['sysfs', '`cryptsetup luksDump`'],
    root: '"unknown", unless there are none',
    shape:
      '[{device: "/dev/mapper/…", version: 1 | 2, cipher: "aes-xts-plain64" | "unknown", slots: [{slot, kdf: "argon2id" | "argon2i" | "pbkdf2", opened_by: "passphrase" | "tpm2" | "fido2" | "pkcs11" | "recovery" | "clevis" | …, pin?: true | false}] | "unknown"}]',
    cost: '15 ms for each',
    tested: { 'debian-12': 'real', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['LUKS2 On-Disk Format Specification 1.1.3', 'tokens: systemd-cryptenroll(1), clevis-luks-bind(1)'],
  },
  {
    fact: smart,
    tells:
      'of each built-in SATA, SAS or NVMe disk: whether it says that it is failing (the temperature does not count), and how far its flash is worn; sleeping disks are not woken, and unknown until they are awake',
    reads: ['sysfs', '`smartctl` (smartmontools)'],
    root: '"unknown", unless there are none',
    shape:
      '[{device, model?, health: "passed" | "failing" | "unsupported" | "unknown", wear?: "ok" | "worn" | "worn-out"}], left out where there is no such disk',
    cost: '10 ms for each',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: [
      'smartctl 7.0 to 7.5: the test data of github.com/AnalogJ/scrutiny and github.com/prometheus-community/smartctl_exporter',
    ],
  },
  {
    fact: swap,
    tells:
      'for each swap in use whether what it holds is encrypted before it gets to a disk, or stays in memory (zram)',
    reads: ['/proc/swaps', '/proc/1/mountinfo', 'sysfs'],
    shape: '[{device, type: "encrypted" | "zram" | "plain" | "unknown"}]',
    cost: '2 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['the 21 layouts of test/fixtures/lsblk, recorded on Debian 13'],
  },
  {
    fact: zfsEncryption,
    tells:
      'for each mounted ZFS data set (but those of containers) whether ZFS encrypts it, or all devices of its pool are encrypted below',
    reads: ['/proc/1/mountinfo', '`zfs get`', '`zpool list`', 'sysfs'],
    shape: '[{mountpoint, dataset, encrypted: true | false | "unknown"}], left out where none is mounted',
    cost: '20 ms where there is ZFS',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'no', fedora: 'no' },
    sources: ['zfs-get(8), zpool-list(8) and zfsprops(7) of OpenZFS 2.1'],
  },
];
