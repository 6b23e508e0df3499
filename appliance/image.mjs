// The image of a machine: its files, file systems made of them without mounting any, a disk of these, and that disk as others want it.
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { output } from '../packaging/package/output.mjs';
import { makeDisk } from './disk.mjs';
import { makeFileSystems } from './file-systems.mjs';
import { makeTree } from './tree.mjs';

/** @returns what was made */
export async function image(options) {
  const { output: folder, version, onlyRaw } = options;
  const name = join(resolve(folder), `penguindome-appliance-${version}`);
  const work = `${name}.work`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    const tree = await makeTree(work, options);
    const parts = await makeFileSystems(work, tree, options);
    await makeDisk(`${name}.raw`, parts);
    const made = [{ path: `${name}.raw` }];
    if (onlyRaw) return made;
    output('qemu-img', [
      ...['convert', '-c', '-f', 'raw', '-O', 'qcow2', '-o', 'compression_type=zstd'],
      ...[`${name}.raw`, `${name}.qcow2`],
    ]);
    output('zstd', ['-q', '-f', '-T0', parts.system, '-o', `${name}.system.zst`]);
    return [...made, { path: `${name}.qcow2` }, { path: `${name}.system.zst` }];
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
