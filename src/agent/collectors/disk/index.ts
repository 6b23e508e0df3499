import { group } from '../group.ts';
import { freeSpace } from './free-space.ts';
import { homeEncryption } from './home-encryption.ts';
import { luks } from './luks.ts';
import { smart } from './smart.ts';
import { swap } from './swap.ts';
import { zfsEncryption } from './zfs-encryption.ts';

export const disk = group('disk', 'encryption in detail, swap, free space and health of disks', [
  freeSpace,
  homeEncryption,
  luks,
  smart,
  swap,
  zfsEncryption,
]);
