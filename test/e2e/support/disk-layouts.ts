/** `[mountpoint, device, type, encrypted]`, as hd_encryption lists them. */
export type Line = [string, string, string, boolean | 'unknown'];

export interface DiskLayout {
  /** what there is, and what follows from it */
  why: string;
  /** bash: lays it out on the empty disks $B (vdb) and $C (vdc) with the functions of TOOLS */
  make: string;
  /** what hd_encryption says besides the root */
  says: Line[];
  /** of unencrypted-hard-drive, where the root is encrypted */
  answer: 'pass' | 'fail';
  /** only in the soak */
  soak?: true;
}

/** Key derivation at its cheapest, since it is no part of the question. The tools ask nothing, and wait for udev by themselves. */
export const TOOLS = `
  export LC_ALL=C
  B=/dev/vdb C=/dev/vdc K=/run/layout-key
  printf secret >$K
  seal() { cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file $K "$@"; }
  open() { cryptsetup open --key-file $K "$@"; }
  group() { pvcreate -q -q "$@"; vgcreate -q -q vg "$@"; }
  volume() { lvcreate -q -q -y -W n "$@"; }
  ext4() { mke2fs -q -F -t ext4 "$1"; mount "$1" /mnt/x; }
  swap() { mkswap -q "$1"; swapon "$1"; }
`;

/** Takes any layout apart, from the top, until nothing but the root is left, and empties the disks. */
export const CLEAR = `
  swapoff -a
  for place in /mnt/y /mnt/x; do
    while mountpoint -q $place; do umount $place; done
  done
  for device in /sys/block/zram*; do
    [ ! -e $device ] || zramctl --reset /dev/\${device##*/}
  done
  for round in 1 2 3 4 5 6; do
    for name in /sys/block/dm-*/dm/name; do
      [ -e $name ] || continue
      [ "$(cat $name)" = system ] || dmsetup remove "$(cat $name)" 2>/dev/null || true
    done
    for device in /sys/block/md*; do
      [ ! -e $device ] || mdadm -q --stop /dev/\${device##*/} || true
    done
  done
  losetup -D
  rm -f /root/vault /root/header
  udevadm settle
  for disk in $B $C; do
    wipefs -qaf $disk
    blkdiscard -f $disk
  done
  udevadm settle
  [ "$(cat /sys/block/dm-*/dm/name)" = system ]
`;

export const LAYOUTS: Record<string, DiskLayout> = {
  plain: {
    why: 'nothing is between the file system and the disk',
    make: 'ext4 $B',
    says: [['/mnt/x', '/dev/vdb', 'ext4', false]],
    answer: 'fail',
  },
  luks1: {
    why: 'LUKS 1 on the whole disk encrypts it',
    make: 'cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 --key-file $K $B; open $B cx; ext4 /dev/mapper/cx',
    says: [['/mnt/x', '/dev/mapper/cx', 'ext4', true]],
    answer: 'pass',
  },
  luks2: {
    why: 'LUKS 2 on the whole disk encrypts it',
    make: 'seal $B; open $B cx; ext4 /dev/mapper/cx',
    says: [['/mnt/x', '/dev/mapper/cx', 'ext4', true]],
    answer: 'pass',
  },
  'lvm on luks': {
    why: 'both volumes lie on the encrypted physical volume, swap too',
    make: `
      seal $B; open $B cx; group /dev/mapper/cx
      volume -n root -L 64M vg; volume -n swap -L 32M vg
      ext4 /dev/vg/root; swap /dev/vg/swap
    `,
    says: [
      ['/mnt/x', '/dev/mapper/vg-root', 'ext4', true],
      ['[SWAP]', '/dev/mapper/vg-swap', 'swap', true],
    ],
    answer: 'pass',
  },
  'luks on lvm': {
    why: 'the volume is plain, the LUKS on it is not',
    make: 'group $B; volume -n root -L 64M vg; seal /dev/vg/root; open /dev/vg/root cx; ext4 /dev/mapper/cx',
    says: [['/mnt/x', '/dev/mapper/cx', 'ext4', true]],
    answer: 'pass',
  },
  'raid below luks': {
    why: 'what the mirror gets is encrypted already',
    make: `
      mdadm --create -q /dev/md0 --level=1 --raid-devices=2 --metadata=1.2 --run --assume-clean $B $C
      seal /dev/md0; open /dev/md0 cx; ext4 /dev/mapper/cx
    `,
    says: [['/mnt/x', '/dev/mapper/cx', 'ext4', true]],
    answer: 'pass',
  },
  'encrypted swap': {
    why: 'swap in LUKS is encrypted',
    make: 'seal $B; open $B cx; swap /dev/mapper/cx',
    says: [['[SWAP]', '/dev/mapper/cx', 'swap', true]],
    answer: 'pass',
  },
  'plain swap': {
    why: 'what was in memory is on the disk as it was, though every file system is encrypted',
    make: 'swap $B',
    says: [['[SWAP]', '/dev/vdb', 'swap', false]],
    answer: 'fail',
  },
  zram: {
    why: 'swap in memory is on no disk',
    make: 'modprobe zram; device=$(zramctl --find --size 64M); swap $device',
    says: [],
    answer: 'pass',
  },
  'a volume over an encrypted and a plain disk': {
    why: 'half of what is written is there to be read',
    make: 'seal $B; open $B cx; group /dev/mapper/cx $C; volume -n root -l 100%FREE vg; ext4 /dev/vg/root',
    says: [['/mnt/x', '/dev/mapper/vg-root', 'ext4', false]],
    answer: 'fail',
  },
  'btrfs over an encrypted and a plain disk': {
    why: 'its mount names the encrypted half only, and half of it is plain all the same',
    make: `
      seal $B; open $B cx; mkfs.btrfs -q -f -m single -d single /dev/mapper/cx $C
      mount /dev/mapper/cx /mnt/x
    `,
    says: [['/mnt/x', '/dev/mapper/cx', 'btrfs', false]],
    answer: 'fail',
  },
  'swap on plain dm-crypt with a random key': {
    why: 'there is no header anywhere, and it is encrypted',
    make: 'cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 256 --key-file /dev/urandom $B cx; swap /dev/mapper/cx',
    says: [['[SWAP]', '/dev/mapper/cx', 'swap', true]],
    answer: 'pass',
  },
  'luks on two disks below a mirror': {
    why: 'both halves are encrypted',
    make: `
      seal $B; seal $C; open $B cx; open $C cy
      mdadm --create -q /dev/md0 --level=1 --raid-devices=2 --metadata=1.2 --run --assume-clean /dev/mapper/cx /dev/mapper/cy
      ext4 /dev/md0
    `,
    says: [['/mnt/x', '/dev/md0', 'ext4', true]],
    answer: 'pass',
    soak: true,
  },
  'a mirror of an encrypted and a plain disk': {
    why: 'the plain half has all of it',
    make: `
      seal $B; open $B cx
      mdadm --create -q /dev/md0 --level=1 --raid-devices=2 --metadata=1.2 --run --assume-clean /dev/mapper/cx $C
      ext4 /dev/md0
    `,
    says: [['/mnt/x', '/dev/md0', 'ext4', false]],
    answer: 'fail',
    soak: true,
  },
  'btrfs on luks, with a subvolume': {
    why: 'its one device is encrypted, at both places where it is mounted',
    make: `
      seal $B; open $B cx; mkfs.btrfs -q -f /dev/mapper/cx
      mount /dev/mapper/cx /mnt/x; btrfs -q subvolume create /mnt/x/home; mount -o subvol=home /dev/mapper/cx /mnt/y
    `,
    says: [
      ['/mnt/x', '/dev/mapper/cx', 'btrfs', true],
      ['/mnt/y', '/dev/mapper/cx', 'btrfs', true],
    ],
    answer: 'pass',
    soak: true,
  },
  'a thin volume on luks': {
    why: "the pool's data and metadata are both on the encrypted disk",
    make: 'seal $B; open $B cx; group /dev/mapper/cx; volume -T -L 64M -V 64M -n root vg/pool; ext4 /dev/vg/root',
    says: [['/mnt/x', '/dev/mapper/vg-root', 'ext4', true]],
    answer: 'pass',
    soak: true,
  },
  'a snapshot on a plain disk of a volume on luks': {
    why: 'what the volume was is copied to the plain disk whenever it changes',
    make: `
      seal $B; open $B cx; group /dev/mapper/cx $C
      volume -n root -L 64M vg /dev/mapper/cx; lvcreate -q -q -y -s -n past -L 32M vg/root $C; ext4 /dev/vg/root
    `,
    says: [['/mnt/x', '/dev/mapper/vg-root', 'ext4', false]],
    answer: 'fail',
    soak: true,
  },
  'a detached header': {
    why: 'the disk shows no LUKS, because its header is elsewhere, and is encrypted',
    make: 'truncate -s 16M /root/header; seal --header /root/header $B; open --header /root/header $B cx; ext4 /dev/mapper/cx',
    says: [['/mnt/x', '/dev/mapper/cx', 'ext4', true]],
    answer: 'pass',
    soak: true,
  },
  'dm-integrity below luks': {
    why: 'of the two crypt layers only the upper one encrypts, and that is enough',
    make: `
      truncate -s 40M /root/vault; loop=$(losetup -f --show /root/vault)
      seal --integrity hmac-sha256 $loop; open $loop cx; ext4 /dev/mapper/cx
    `,
    says: [['/mnt/x', '/dev/mapper/cx', 'ext4', true]],
    answer: 'pass',
    soak: true,
  },
  'dm-integrity alone': {
    why: 'it protects against change, and not against being read',
    make: `
      integritysetup format --batch-mode --no-wipe $B; integritysetup open --integrity-no-journal --integrity-recalculate $B safe
      ext4 /dev/mapper/safe
    `,
    says: [['/mnt/x', '/dev/mapper/safe', 'ext4', false]],
    answer: 'fail',
    soak: true,
  },
  'luks in a file': {
    why: 'what is in the file is encrypted before it gets there',
    make: 'truncate -s 64M /root/vault; seal /root/vault; open /root/vault cx; ext4 /dev/mapper/cx',
    says: [['/mnt/x', '/dev/mapper/cx', 'ext4', true]],
    answer: 'pass',
    soak: true,
  },
  'a plain file as a disk, on the encrypted root': {
    why: 'it is as safe as the file system that holds it',
    make: 'truncate -s 64M /root/vault; ext4 /root/vault',
    says: [['/mnt/x', '/dev/loop0', 'ext4', true]],
    answer: 'pass',
    soak: true,
  },
  'a plain file as a disk, on a plain disk': {
    why: 'it is as safe as the file system that holds it',
    make: 'ext4 $B; truncate -s 64M /mnt/x/vault; mke2fs -q -F -t ext4 /mnt/x/vault; mount /mnt/x/vault /mnt/y',
    says: [
      ['/mnt/x', '/dev/vdb', 'ext4', false],
      ['/mnt/y', '/dev/loop0', 'ext4', false],
    ],
    answer: 'fail',
    soak: true,
  },
  'a swap file on luks': {
    why: 'the swap file is as safe as the file system that it is on',
    make: `
      seal $B; open $B cx; ext4 /dev/mapper/cx
      dd if=/dev/zero of=/mnt/x/swap bs=1M count=16 status=none; chmod 600 /mnt/x/swap; swap /mnt/x/swap
    `,
    says: [
      ['/mnt/x', '/dev/mapper/cx', 'ext4', true],
      ['[SWAP]', '/mnt/x/swap', 'swap', true],
    ],
    answer: 'pass',
    soak: true,
  },
  'two partitions, one with luks': {
    why: 'one partition of the disk is encrypted, its neighbour is not',
    make: `
      printf 'label: gpt\\nsize=128M\\nsize=100M\\n' | sfdisk -q $B; udevadm settle
      seal \${B}2; open \${B}2 cx; ext4 /dev/mapper/cx; mke2fs -q -F -t ext4 \${B}1; mount \${B}1 /mnt/y
    `,
    says: [
      ['/mnt/x', '/dev/mapper/cx', 'ext4', true],
      ['/mnt/y', '/dev/vdb1', 'ext4', false],
    ],
    answer: 'fail',
    soak: true,
  },
  'xfs on luks, with its real-time section on a plain disk': {
    why: 'the contents of files may be there',
    make: `
      truncate -s 1G /root/vault; seal /root/vault; open /root/vault cx
      mkfs.xfs -q -f -r rtdev=$C /dev/mapper/cx; mount -o rtdev=$C /dev/mapper/cx /mnt/x
    `,
    says: [['/mnt/x', '/dev/mapper/cx', 'xfs', false]],
    answer: 'fail',
    soak: true,
  },
  'a locked disk': {
    why: 'what is not open is not mounted, so there is nothing to say of it',
    make: 'seal $B',
    says: [],
    answer: 'pass',
    soak: true,
  },
};
