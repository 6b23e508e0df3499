// What the image holds beside a minimal Debian. Everything below files/ goes to the same place in it.

export const SUITE = 'trixie';

export const PACKAGES = [
  ...[
    'ca-certificates',
    'dbus',
    'e2fsprogs',
    'fdisk',
    'initramfs-tools',
    'iproute2',
    'kmod',
    'less',
    'libnss-myhostname',
  ],
  'libpam-systemd',
  // Not the smaller linux-image-cloud-amd64, which knows neither screens nor the disks of real machines.
  'linux-image-amd64',
  ...['mount', 'nano', 'nftables', 'nodejs', 'openssh-server', 'procps', 'sudo', 'systemd', 'systemd-resolved'],
  ...['systemd-sysv', 'systemd-timesyncd', 'udev', 'unattended-upgrades', 'zstd'],
];

/** Fetched for the boot partition, and not installed; signed for Secure Boot where they are called so. The library is grub-common's. */
export const BOOT_PACKAGES = [
  'grub-common',
  'grub-efi-amd64-signed',
  'grub-pc-bin',
  'libdevmapper1.02.1',
  'shim-signed',
];

/** Accounts that own what is on the data partition: their numbers must be the same in every later image. */
export const ACCOUNTS = {
  'penguindome-server': { id: 960, home: '/var/lib/penguindome-server' },
  mongodb: { id: 961, home: '/var/lib/mongodb' },
};

/** Of files/, what is not 644. */
export const MODES = {
  'etc/sudoers.d/admin': 0o440,
  'usr/lib/penguindome-appliance/apply-network': 0o755,
  'usr/lib/penguindome-appliance/keep-system': 0o755,
  'usr/lib/penguindome-appliance/prepare-data': 0o755,
  'usr/sbin/penguindome-appliance': 0o755,
};

/** Must be there before packages are installed, which make an initrd. */
export const EARLY = ['etc/initramfs-tools/conf.d/appliance', 'etc/initramfs-tools/modules'];

export const UNITS = [
  'nftables.service',
  'penguindome-appliance-good.service',
  'penguindome-first-boot.service',
  'penguindome-network.service',
  'ssh.service',
  'systemd-networkd.service',
  'systemd-resolved.service',
  'systemd-timesyncd.service',
];

/** They would write where nothing is to be written, or wait for what may never come. */
export const MASKED = [
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'sshd-keygen.service',
  'systemd-networkd-wait-online.service',
];

/** Mount points: whether packages bring them or not. The server's own folders get their owner from its package's tmpfiles.d. */
export const FOLDERS = [
  ...['boot/efi', 'data', 'etc/penguindome', 'etc/penguindome-appliance', 'home', 'var/backups', 'var/lib/mongodb'],
  ...['var/lib/penguindome-server', 'var/lib/systemd', 'var/log/journal', 'var/tmp'],
];

/** Sectors of 512 bytes. The first is GRUB's own, for machines that start by BIOS. */
const MEBIBYTE = 2048;
export const PARTITIONS = [
  { name: 'bios', type: '21686148-6449-6E6F-744E-656564454649', size: MEBIBYTE },
  { name: 'boot', type: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B', size: 64 * MEBIBYTE },
  { name: 'system-a', type: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', size: 1536 * MEBIBYTE },
  { name: 'system-b', type: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', size: 1536 * MEBIBYTE },
  // The last one: it grows to the end of the disk that the image is put on.
  { name: 'data', type: '4D21B016-B534-45C2-A9FB-5C16E091FD2D', size: 256 * MEBIBYTE },
];
