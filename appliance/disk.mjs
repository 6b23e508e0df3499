// A disk with a partition table, as a file: partitions are copied to their places, and holes stay holes.
import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { output } from '../packaging/package/output.mjs';
import { CORE_SECTOR } from './boot-loader.mjs';
import { PARTITIONS } from './list.mjs';

const SECTOR = 512;
/** Of no meaning but that they are always the same. */
const DISK_ID = '0D0D3C1E-7B0B-4E7C-8C52-5D7C1F5A0B00';
const partitionId = (index) => DISK_ID.replace(/00$/, String(index + 1).padStart(2, '0'));

/** @param parts files of mbr, bios, boot, system and data; the second system's partition stays empty */
export async function makeDisk(disk, { mbr, ...parts }) {
  const files = { bios: parts.bios, boot: parts.boot, 'system-a': parts.system, data: parts.data };
  let start = CORE_SECTOR;
  const placed = PARTITIONS.map((partition) => {
    const at = start;
    start += partition.size;
    return { ...partition, start: at };
  });
  await rm(disk, { force: true });
  await writeFile(disk, '');
  // Behind the last one a mebibyte for the table's second copy.
  await truncate(disk, (start + CORE_SECTOR) * SECTOR);
  output('sfdisk', ['--quiet', disk], { input: tableOf(placed) });
  const handle = await open(disk, 'r+');
  await handle.write(await readFile(mbr), 0, undefined, 0);
  await handle.close();
  for (const { name, start: at } of placed) {
    if (files[name] === undefined) continue;
    const place = [`of=${disk}`, 'bs=1M', `seek=${(at * SECTOR) / 2 ** 20}`, 'conv=notrunc,sparse', 'status=none'];
    output('dd', [`if=${files[name]}`, ...place]);
  }
}

function tableOf(placed) {
  const rows = placed.map(
    ({ name, type, start, size }, index) =>
      `start=${start}, size=${size}, type=${type}, uuid=${partitionId(index)}, name="${name}"`,
  );
  return ['label: gpt', `label-id: ${DISK_ID}`, ...rows, ''].join('\n');
}
