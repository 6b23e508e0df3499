import type { Mount } from './mounts.ts';

/** File systems that span devices, so that the kernel gives them no device number of their own. */
const WITHOUT_NUMBER = new Set(['btrfs', 'zfs', 'bcachefs', 'ecryptfs']);
/** Read-only images (snaps, live media): what is in them came from outside and is no secret of this machine's. */
const IMAGES = new Set(['squashfs', 'iso9660', 'udf', 'erofs', 'cramfs', 'romfs']);
/** A root of these kinds is on no disk of this machine. */
const DISKLESS = new Set(['tmpfs', 'ramfs', 'rootfs', 'nfs', 'nfs4', 'cifs', 'smb3', 'ceph']);

/**
 * The mounts whose contents are on disk: no virtual or network file systems, no images, nothing under /boot or /media, and no
 * second sight of a file system that is listed already (bind mounts come and go with services and containers).
 */
export function diskMounts(mounts: readonly Mount[]): Mount[] {
  const onDisk = mounts.filter((mount) => isOnDisk(mount) && !isExempt(mount.mountpoint));
  return onDisk.filter((mount) => !isBindMount(mount, onDisk));
}

function isOnDisk({ device, type, mountpoint }: Mount): boolean {
  if (IMAGES.has(type)) return false;
  if (WITHOUT_NUMBER.has(type) || !device.startsWith('0:')) return true;
  // An overlay (live systems, containers) hides what is below: it must not look as if there were no disk.
  return mountpoint === '/' && !DISKLESS.has(type);
}

function isExempt(mountpoint: string): boolean {
  return /^\/(?:boot|efi|media|run\/media)(?:\/|$)/.test(mountpoint);
}

function isBindMount(mount: Mount, all: readonly Mount[]): boolean {
  const wholeRoot = mount.options.find((option) => option.startsWith('subvol='))?.slice('subvol='.length) ?? '/';
  if (mount.root === wholeRoot) return false;
  const same = all.filter((other) => other.device === mount.device && other.mountpoint !== mount.mountpoint);
  return same.some(
    (other) => other.root === '/' || (other.root !== mount.root && isShorter(other, mount)) || isShorter(other, mount),
  );
}

function isShorter(a: Mount, b: Mount): boolean {
  if (a.mountpoint.length !== b.mountpoint.length) return a.mountpoint.length < b.mountpoint.length;
  return a.mountpoint < b.mountpoint;
}
