// GRUB for machines that start by BIOS, and by UEFI (Debian's signed one, behind shim). Both read the same file on the boot partition.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output } from '../packaging/package/output.mjs';
import { PARTITIONS } from './list.mjs';
import { runFrom } from './run-from.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
/** Debian's signed GRUB looks there, so the other one does too. */
const FOLDER = 'EFI/debian';
const MODULES = [
  ...['biosdisk', 'part_gpt', 'fat', 'ext2', 'normal', 'configfile', 'linux', 'loadenv', 'test', 'echo', 'search'],
  ...['search_label', 'serial', 'terminal', 'reboot', 'halt', 'minicmd', 'ls', 'cat'],
];
const ENVIRONMENT_BYTES = 1024;

/** @returns files: `mbr` (the first sector's code), `core` (what that loads) and `esp` (the boot partition) */
export async function makeBootLoader(work, { root, boot, epoch }) {
  const lib = join(boot, 'usr/lib/grub/i386-pc');
  const core = join(work, 'core.img');
  const args = ['-O', 'i386-pc', '-d', lib, '-o', core, '-p', `(,gpt2)/${FOLDER}`, ...MODULES];
  runFrom(root, 'usr/bin/grub-mkimage', args, { epoch, folder: boot });
  const mbr = join(work, 'mbr.img');
  await writeFile(mbr, startSector(await readFile(join(lib, 'boot.img'))));
  await writeFile(core, startCore(await readFile(core)));
  return { mbr, core, esp: await makeEsp(work, { boot, epoch }) };
}

const [{ size: BIOS_SECTORS }] = PARTITIONS;
/** The first partition starts at the first mebibyte. */
export const CORE_SECTOR = 2048;
/** grub/i386/pc/boot.h: where boot.img keeps the sector that it loads, and the check for BIOSes that tell a wrong drive. */
const KERNEL_SECTOR = 0x5c;
const DRIVE_CHECK = 0x66;
const NO_OPERATION = 0x9090;
const CODE_BYTES = 440;

/** What grub-bios-setup does to boot.img, for which that needs a device. */
function startSector(image) {
  image.writeBigUInt64LE(BigInt(CORE_SECTOR), KERNEL_SECTOR);
  image.writeUInt16LE(NO_OPERATION, DRIVE_CHECK);
  return image.subarray(0, CODE_BYTES);
}

/** The same for core.img: the last 12 bytes of its first sector say where the others are (start, how many, where to). */
function startCore(image) {
  const sectors = Math.ceil(image.length / 512);
  if (sectors > BIOS_SECTORS) throw new Error(`cannot put ${sectors} sectors of GRUB into ${BIOS_SECTORS}`);
  image.writeBigUInt64LE(BigInt(CORE_SECTOR + 1), 500);
  image.writeUInt16LE(sectors - 1, 508);
  return image;
}

async function makeEsp(work, { boot, epoch }) {
  const esp = join(work, 'esp.fat');
  const { size } = PARTITIONS.find(({ name }) => name === 'boot');
  const environment = join(work, 'grubenv');
  await writeFile(environment, '# GRUB Environment Block\nslot=a\n'.padEnd(ENVIRONMENT_BYTES, '#'));
  const files = [
    [join(boot, 'usr/lib/shim/shimx64.efi.signed'), 'EFI/BOOT/BOOTX64.EFI'],
    [join(boot, 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'), 'EFI/BOOT/grubx64.efi'],
    [join(here, 'boot/grub.cfg'), `${FOLDER}/grub.cfg`],
    [environment, `${FOLDER}/grubenv`],
  ];
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC', SOURCE_DATE_EPOCH: String(epoch) };
  output('mkfs.vfat', ['--invariant', '-C', '-F', '32', '-s', '1', '-n', 'PDOMEBOOT', esp, `${size / 2}`], { env });
  // One after the other, so that all builds have them in the same order.
  for (const folder of ['EFI', 'EFI/BOOT', FOLDER]) output('mmd', ['-i', esp, `::${folder}`], { env });
  for (const [from, to] of files) output('mcopy', ['-i', esp, from, `::${to}`], { env });
  return esp;
}
