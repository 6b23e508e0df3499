import { readFile } from 'node:fs/promises';
import { type Fields, isFields, type Value } from '../../../src/core/value.ts';
import { plant } from './host-in-folder.ts';

interface Node {
  name: string;
  type: string;
  fstype: string | undefined;
  mountpoints: string[];
}

/**
 * Plants the sysfs and /proc of a recorded disk layout: devices, partitions, mounts from its lsblk; device-mapper's names, uuids and
 * slaves, and swaps, from what the kernel said besides.
 */
export async function plantLayout(folder: string, layout: string): Promise<void> {
  const lsblk: unknown = JSON.parse(await readFile(`test/fixtures/lsblk/lsblk-${layout}.json`, 'utf8'));
  const extra = await readFile(`test/fixtures/lsblk/extra-${layout}.txt`, 'utf8');
  const mapped = [...extra.matchAll(/^(dm-\d+) (\S+) (\S+) slaves: (.+)$/gm)];
  const kernelNames = new Map(mapped.map(([, kernel = '', name = '']) => [name, kernel]));
  const kernelName = (name: string) => kernelNames.get(name) ?? name;

  const files: Record<string, string> = {};
  for (const [, kernel, name, uuid, slaves = ''] of mapped) {
    files[`/sys/devices/virtual/block/${kernel}/dm/name`] = `${name}\n`;
    files[`/sys/devices/virtual/block/${kernel}/dm/uuid`] = `${uuid}\n`;
    for (const slave of slaves.trim().split(' ')) files[`/sys/devices/virtual/block/${kernel}/slaves/${slave}`] = '';
  }
  const mounts = new Map<string, string>();
  let number = 0;
  const visit = (node: Fields, parent: Node | undefined) => {
    const here = readNode(node);
    const kernel = kernelName(here.name);
    const above = here.type === 'part' ? `${parent?.name}/` : '';
    const home = here.type === 'part' || here.type === 'disk' ? 'pci0000:00/block' : 'virtual/block';
    files[`/sys/class/block/${kernel}`] = `-> ../../devices/${home}/${above}${kernel}`;
    files[`/sys/devices/${home}/${above}${kernel}/removable`] = '0\n';
    if (here.type === 'part') files[`/sys/devices/${home}/${above}${kernel}/partition`] = '1\n';
    if (here.type === 'loop') files[`/sys/devices/${home}/${kernel}/loop/backing_file`] = '/root/image\n';
    if (here.type.startsWith('raid') && parent)
      files[`/sys/devices/${home}/${kernel}/slaves/${kernelName(parent.name)}`] = '';
    if (here.fstype === 'btrfs') files[`/sys/fs/btrfs/0a1b/devices/${kernel}`] = '';
    for (const mountpoint of here.mountpoints.filter((each) => each.startsWith('/'))) {
      number += 1;
      const device = here.fstype === 'btrfs' ? '0:44' : `252:${number}`;
      const source = kernel === here.name ? `/dev/${kernel}` : `/dev/mapper/${here.name}`;
      if (here.fstype !== 'btrfs') files[`/sys/dev/block/${device}`] = `-> ../../devices/${home}/${above}${kernel}`;
      const line = `${number} 1 ${device} / ${mountpoint} rw,relatime shared:1 - ${here.fstype} ${source} rw`;
      mounts.set(mountpoint, mounts.get(mountpoint) ?? line);
    }
    const children = node['children'];
    for (const child of Array.isArray(children) ? children.filter(isFields) : []) visit(child, here);
  };
  for (const node of topNodes(lsblk)) visit(node, undefined);
  files['/proc/1/mountinfo'] = `${[...mounts.values()].join('\n')}\n`;
  files['/proc/swaps'] = /^Filename[^#]*/m.exec(extra)?.[0] ?? '';
  await plantOnce(folder, files);
}

/** lsblk repeats a device under each of its parents. */
async function plantOnce(folder: string, files: Record<string, string>): Promise<void> {
  const links = Object.entries(files).filter(([, contents]) => contents.startsWith('-> '));
  await plant(folder, Object.fromEntries(Object.entries(files).filter(([, contents]) => !contents.startsWith('-> '))));
  await plant(folder, Object.fromEntries(links));
}

function topNodes(lsblk: unknown): Fields[] {
  const devices: Value | undefined = isFields(lsblk) ? lsblk['blockdevices'] : undefined;
  return Array.isArray(devices) ? devices.filter(isFields) : [];
}

function readNode(node: Fields): Node {
  const mountpoints = node['mountpoints'];
  return {
    name: String(node['name']),
    type: String(node['type']),
    fstype: typeof node['fstype'] === 'string' ? node['fstype'] : undefined,
    mountpoints: (Array.isArray(mountpoints) ? mountpoints : []).filter((each) => typeof each === 'string'),
  };
}
