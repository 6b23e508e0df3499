import { createHash } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { freePort } from '../../../support/free-port.ts';
import { finish } from '../finish.ts';
import { sourcesFor } from '../rootfs.ts';
import { holdLock } from './lock.ts';
import { startQemu } from './qemu.ts';
import { connectSsh } from './ssh.ts';

/** The snapshot that an image's disks hold: taken once ssh answered. */
export const BOOTED = 'booted';
/** A file that is there once all else is. */
const COMPLETE = 'complete';
/** What opens the sealed disk. */
export const PASSPHRASE = 'secret';

const PACKAGES = [
  ...[
    'apparmor',
    'btrfs-progs',
    'busybox',
    'cryptsetup-bin',
    'dbus',
    'e2fsprogs',
    'fdisk',
    'initramfs-tools',
    'iproute2',
  ],
  ...[
    'kmod',
    'linux-image-cloud-amd64',
    'lvm2',
    'mdadm',
    'nodejs',
    'openssh-server',
    'procps',
    'systemd',
    'systemd-sysv',
  ],
  ...['udev', 'xfsprogs'],
];

/** Nothing of the machine's own puts disks together that a test takes apart. */
const FILES: Record<string, string> = {
  'etc/hostname': 'disks\n',
  'etc/hosts': '127.0.0.1 localhost disks\n',
  'etc/fstab': 'LABEL=system / ext4 defaults 0 0\n',
  'etc/lvm/lvmlocal.conf': 'global { event_activation = 0 }\ndevices { use_devicesfile = 0 }\n',
  'etc/mdadm/mdadm.conf': 'AUTO -all\n',
  'etc/systemd/network/10-eth0.network': '[Match]\nName=eth0\n[Network]\nDHCP=no\nAddress=10.0.2.15/24\n',
};

/** As little of an initrd as finds the root: it is read and unpacked under emulation. */
const SMALL_INITRD = `
  mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
  echo MODULES=list >"$1/etc/initramfs-tools/conf.d/small"
  printf '%s\\n' virtio_pci virtio_blk ext4 >"$1/usr/share/initramfs-tools/modules.d/small"
`;

const TREE = `
  set -eu
  part=$1 root=$1/root
  rm -rf "$part"
  mkdir -p "$part"
  ssh-keygen -q -t ed25519 -N '' -C '' -f "$part/key"
  mmdebstrap --quiet --variant=minbase --include="$2" --essential-hook="$3" --dpkgopt='path-exclude=/usr/share/doc/*' \\
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' trixie "$root" -
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
  install -D -m 600 "$part/key.pub" "$root/root/.ssh/authorized_keys"
  chmod 700 "$root/root/.ssh"
  chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash alice
  chroot "$root" systemctl --quiet enable systemd-networkd ssh
  chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \\
    e2scrub_reap.service fstrim.timer getty@tty1.service serial-getty@ttyS0.service systemd-networkd-wait-online.service
  mkdir "$root/mnt/x" "$root/mnt/y"
`;

/** The system's disk; the same again, made LUKS 1 by qemu, so that no dm-crypt is asked of this machine; and two empty ones. */
const MAKE_DISKS = `
  set -eu
  part=$1 root=$1/root final=$2 passphrase=$3
  cp -L "$root"/boot/vmlinuz-* "$part/kernel"
  cp -L "$root"/boot/initrd.img-* "$part/initrd"
  size=$(($(du -sm "$root" | cut -f 1) * 6 / 5 + 150))
  mke2fs -q -t ext4 -L system -d "$root" "$part/system.raw" "\${size}M"
  rm -rf "$root"
  # It measures the key derivation first, and gives up where the kernel counts too coarsely: once more then.
  for try in 1 2 3 4 5; do
    if qemu-img convert -O luks --object "secret,id=key,data=$passphrase" -o key-secret=key,iter-time=10,hash-alg=sha512 \\
      "$part/system.raw" "$part/sealed.raw"; then break; fi
    [ $try -lt 5 ]
  done
  for name in system sealed; do
    qemu-img create -q -u -f qcow2 -F raw -b "$final/$name.raw" "$part/$name.qcow2" "$(stat -c %s "$part/$name.raw")"
  done
  for name in one two; do qemu-img create -q -f qcow2 "$part/$name.qcow2" 256M; done
`;

/**
 * A folder that holds a virtual machine with Debian 13, booted: made once, then kept in `.cache/vm` (remove that folder to make it anew).
 * @param tell hears how long each step took
 * @returns its absolute path
 */
export async function image(tell: (line: string) => void): Promise<string> {
  const sources = await sourcesFor('trixie');
  const version = (await finish('qemu-system-x86_64', ['--version'])).stdout;
  const parts = [PACKAGES, FILES, SMALL_INITRD, TREE, MAKE_DISKS, sources, version];
  const recipe = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
  const folder = join(process.cwd(), '.cache/vm', `trixie-${recipe}`);
  await mkdir(dirname(folder), { recursive: true });
  const release = await holdLock(`${folder}.lock`);
  try {
    const there = await access(join(folder, COMPLETE)).then(
      () => true,
      () => false,
    );
    if (!there) await make(folder, sources, tell);
  } finally {
    release();
  }
  return folder;
}

async function make(folder: string, sources: string, tell: (line: string) => void): Promise<void> {
  const part = `${folder}.part`;
  await timed('the tree', tell, async () => {
    await shell(TREE, [part, PACKAGES.join(','), SMALL_INITRD], sources);
    for (const [path, content] of Object.entries(FILES)) await writeFile(join(part, 'root', path), content);
  });
  await timed('the disks', tell, () => shell(MAKE_DISKS, [part, folder, PASSPHRASE]));
  // The disks name what is below them as it will be called.
  await rm(folder, { recursive: true, force: true });
  await rename(part, folder);
  await timed('the first start', tell, () => bootOnce(folder));
  await writeFile(join(folder, COMPLETE), '');
}

async function bootOnce(folder: string): Promise<void> {
  const port = await freePort();
  const qemu = startQemu({ folder, port });
  try {
    const ssh = await connectSsh({ folder, port, seconds: 300, alive: () => qemu.running });
    await ssh.run('systemctl is-system-running --wait || true', 120);
    ssh.close();
    const complaint = await qemu.monitor(`savevm ${BOOTED}`);
    if (complaint !== '') throw new Error(`cannot take a snapshot: ${complaint}`);
  } finally {
    await qemu.stop();
  }
}

async function shell(script: string, args: string[], input = ''): Promise<void> {
  const { status, stderr } = await finish('timeout', ['--kill-after=5', '600', 'sh', '-c', script, 'sh', ...args], {
    input,
  });
  if (status !== 0) throw new Error(`cannot make a virtual machine:\n${stderr}`);
}

export async function timed<T>(what: string, tell: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const result = await work();
  tell(`${what}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
  return result;
}
