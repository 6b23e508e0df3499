// File systems made of folders, without mounting any: by the image's own e2fsprogs, so that every machine makes the same.
import { join } from 'node:path';
import { makeBootLoader } from './boot-loader.mjs';
import { PARTITIONS } from './list.mjs';
import { runFrom } from './run-from.mjs';

/** Of no meaning but that they are always the same; what finds a file system is its label. */
const ID = { 'system-a': 'b3a5a9a4-5b1c-4d0e-9c53-0d8a5c2f7a01', data: 'b3a5a9a4-5b1c-4d0e-9c53-0d8a5c2f7a02' };

/** @returns files: bios, its start sector `mbr`, boot, system, data */
export async function makeFileSystems(work, { root, boot }, { epoch }) {
  const system = join(work, 'system.ext4');
  const data = join(work, 'data.ext4');
  mke2fs(root, epoch, system, 'system-a', ['-L', 'penguindome-a', '-m', '1', '-d', root]);
  // Blocks as on a large disk, which it will be on.
  mke2fs(root, epoch, data, 'data', ['-L', 'penguindome-data', '-m', '1', '-b', '4096', '-i', '16384']);
  const { mbr, core, esp } = await makeBootLoader(work, { root, boot, epoch });
  return { mbr, bios: core, boot: esp, system, data };
}

function mke2fs(root, epoch, file, name, args) {
  const { size } = PARTITIONS.find((partition) => partition.name === name);
  // Without what older tools cannot read.
  const plain = ['-O', '^metadata_csum_seed,^orphan_file'];
  const fixed = ['-q', '-F', '-t', 'ext4', ...plain, '-U', ID[name], '-E', `hash_seed=${ID[name]},lazy_itable_init=1`];
  runFrom(root, 'usr/sbin/mke2fs', [...fixed, ...args, file, `${size / 2}k`], { epoch });
}
