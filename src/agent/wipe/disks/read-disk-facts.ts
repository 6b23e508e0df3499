import { closeSync, constants, fstatSync, lstatSync, opendirSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { HostAccess } from '../../collector.ts';
import { namesIn, textOf } from '../../collectors/lenient.ts';
import { parseMounts } from '../../collectors/mounts.ts';
import { readOnDisk } from '../../collectors/on-disk.ts';
import { disksOf, readStorage } from '../../collectors/storage.ts';
import { awayBy } from '../homes/look-at-homes.ts';
import type { DiskFacts, HeaderFacts } from './disk-facts.ts';
import { type LuksHeader, type ReadAt, readLuksHeader, uuidOfMapping } from './luks-header.ts';
import { readElsewhere } from './read-elsewhere.ts';

/** Devices that hold nothing that lasts, or nothing of this machine's. */
const NO_DISK = /^(?:ram|zram|sr|fd|nbd|mtdblock)\d/;
/** Where headers that are kept in files, and backups of headers, are to be found without a search of the whole machine. */
const FILES_IN = ['/boot', '/efi', '/etc', '/root'];
const DEEPEST = 4;
const MOST_FILES = 50_000;
const SMALLEST_HEADER = 4096;

interface Mapping {
  device: string;
  name: string;
  /** without dashes; of LUKS alone */
  uuid?: string;
  kind: string;
}

/** Read-only. @param host of the machine itself: not from inside a sandbox */
export async function readDiskFacts(host: HostAccess): Promise<DiskFacts> {
  const names = ((await namesIn(host, '/sys/class/block')) ?? []).filter((name) => !NO_DISK.test(name));
  const mappings = (await Promise.all(names.map((name) => readMapping(host, name)))).filter((one) => one !== undefined);
  const system = await systemDevices(host);
  const devices = await Promise.all(names.map((name) => readDevice(host, { name, mappings, system })));
  const crypttab = await headersOfCrypttab(host);
  const files = [...new Set([...filesWithHeaders(), ...crypttab.filter((path) => headerOf(path, true) !== undefined)])];
  const headers = [...devices.filter((one) => one !== undefined), ...files.flatMap((path) => readFile(path, mappings))];
  const found = new Set(headers.flatMap(({ open }) => open));
  const luks = mappings.filter(({ uuid }) => uuid !== undefined);
  return {
    headers,
    withoutHeader: luks.map(({ name }) => name).filter((name) => !found.has(name)),
    otherMappings: mappings.flatMap(({ name, kind, uuid }) => (uuid === undefined ? [{ name, kind }] : [])),
    plain: await readPlain(host),
    elsewhere: await readElsewhere(host),
    missing: crypttab.filter((path) => headerOf(path, !path.startsWith('/dev/')) === undefined),
  };
}

async function readMapping(host: HostAccess, device: string): Promise<Mapping | undefined> {
  const uuid = (await textOf(host, `/sys/class/block/${device}/dm/uuid`))?.trim() ?? '';
  const kind = /^CRYPT-([A-Z0-9]+)-/.exec(uuid)?.[1];
  // Layers of cryptsetup's own below a volume.
  if (kind === undefined || ['INTEGRITY', 'VERITY', 'SUBDEV'].includes(kind)) return undefined;
  const name = (await textOf(host, `/sys/class/block/${device}/dm/name`))?.trim() ?? device;
  const own = uuidOfMapping(uuid);
  return { device, name, kind: kind.toLowerCase(), ...(own === undefined ? {} : { uuid: own }) };
}

interface Looking {
  name: string;
  mappings: readonly Mapping[];
  system: ReadonlySet<string>;
}

async function readDevice(host: HostAccess, { name, mappings, system }: Looking): Promise<HeaderFacts | undefined> {
  const path = `/dev/${name.replaceAll('!', '/')}`;
  const header = headerOf(path, false);
  if (header === undefined || !(await isTheTop(host, name))) return undefined;
  const storage = await readStorage(host, [[name]]);
  const isSystem = system.has(name);
  const disks = disksOf([name], storage);
  return {
    path,
    isFile: false,
    version: header.version,
    open: openOf(header, mappings),
    removable:
      !isSystem && disks.length > 0 && disks.every(({ name: disk, removable }) => removable && !system.has(disk)),
    system: isSystem,
  };
}

/** Halves of a mirror, and what LVM keeps below a volume, show the same header as what is made of them, by which it is to be erased. */
async function isTheTop(host: HostAccess, name: string): Promise<boolean> {
  for (const holder of (await namesIn(host, `/sys/class/block/${name}/holders`)) ?? []) {
    const uuid = await textOf(host, `/sys/class/block/${holder}/dm/uuid`);
    if (uuid === undefined || !uuid.startsWith('CRYPT-')) return false;
  }
  return true;
}

/** Kernel names of all devices that the root, /usr and /var lie on. */
async function systemDevices(host: HostAccess): Promise<Set<string>> {
  const mounts = (await readOnDisk(host)).mounts ?? [];
  const places = mounts
    .filter(({ mountpoint }) => ['/', '/usr', '/var'].includes(mountpoint))
    .map(({ place }) => place);
  const storage = await readStorage(host, places);
  return new Set(storage.keys());
}

/** What is mounted or swapped to without encryption. */
async function readPlain(host: HostAccess): Promise<string[]> {
  const { mounts, swaps, encrypted } = await readOnDisk(host);
  const all = (await textOf(host, '/proc/self/mountinfo')) ?? '';
  const boot = ['/boot', '/boot/efi', '/efi'].filter((path) => all.includes(` ${path} `));
  return [
    ...(mounts ?? [])
      .filter(({ place, type }) => type !== 'zfs' && encrypted(place) !== true)
      .map(({ mountpoint, device }) => `${mountpoint} (${device})`),
    ...(swaps ?? []).flatMap((swap) =>
      swap.inMemory || encrypted(swap.place) === true ? [] : [`swap on ${swap.device}`],
    ),
    ...boot.map((path) => `what starts the system, in ${path},`),
  ];
}

function readFile(path: string, mappings: readonly Mapping[]): HeaderFacts[] {
  const header = headerOf(path, true);
  if (header === undefined) return [];
  const { version } = header;
  return [{ path, isFile: true, version, open: openOf(header, mappings), removable: false, system: false }];
}

function openOf({ uuid }: LuksHeader, mappings: readonly Mapping[]): string[] {
  const bare = uuid.replaceAll('-', '').toLowerCase();
  return mappings.flatMap((mapping) => (mapping.uuid === bare ? [mapping.name] : []));
}

/** @param isFile a regular file, no link; else a block device */
function headerOf(path: string, isFile: boolean): LuksHeader | undefined {
  try {
    return withReader(path, isFile, readLuksHeader);
  } catch {
    return undefined;
  }
}

function withReader<T>(path: string, isFile: boolean, work: (read: ReadAt) => T): T | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (isFile ? constants.O_NOFOLLOW : 0));
  try {
    const stats = fstatSync(fd);
    if (isFile ? !stats.isFile() || stats.uid !== 0 : !stats.isBlockDevice()) return undefined;
    return work((offset, length) => {
      const piece = Buffer.alloc(length);
      return piece.subarray(0, readSync(fd, piece, 0, length, offset));
    });
  } finally {
    closeSync(fd);
  }
}

/** Root's own files, on the file system of each folder and on what is mounted for booting; no link is followed. */
function filesWithHeaders(): string[] {
  let seen = 0;
  const found: string[] = [];
  // A file server that is out of reach would never answer; what starts the system is often mounted when it is looked at.
  const kind = awayBy(parseMounts(readFileSync('/proc/self/mountinfo', 'utf8')));
  const isAway = (path: string) => ![undefined, 'autofs'].includes(kind(path));
  const walk = (folder: string, depth: number) => {
    for (const entry of entriesOf(folder)) {
      if (++seen > MOST_FILES) return;
      const path = join(folder, entry.name);
      if (isAway(path)) continue;
      if (entry.isDirectory() && depth < DEEPEST) walk(path, depth + 1);
      if (!entry.isFile() || sizeOf(path) < SMALLEST_HEADER) continue;
      if (headerOf(path, true) !== undefined) found.push(path);
    }
  };
  for (const folder of FILES_IN.filter((path) => !isAway(path))) walk(folder, 0);
  return found;
}

function* entriesOf(folder: string) {
  let opened: ReturnType<typeof opendirSync> | undefined;
  try {
    // The folder itself may be a link of the distribution's (/efi).
    opened = opendirSync(folder);
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) yield entry;
  } catch {
    // not there
  } finally {
    opened?.closeSync();
  }
}

function sizeOf(path: string): number {
  try {
    return lstatSync(path).size;
  } catch {
    return 0;
  }
}

async function headersOfCrypttab(host: HostAccess): Promise<string[]> {
  const text = (await textOf(host, '/etc/crypttab')) ?? '';
  return parseCrypttabHeaders(text);
}

/** crypttab(5): `header=PATH`, or `header=PATH:DEVICE` where it lies on another file system. */
export function parseCrypttabHeaders(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    if (/^\s*(?:#|$)/.test(line)) return [];
    const options = line.trim().split(/\s+/)[3]?.split(',') ?? [];
    return options.flatMap((option) => /^header=(.+)$/.exec(option)?.[1] ?? []);
  });
}
