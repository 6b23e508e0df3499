import type { CollectorTools, HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { type Mount, parseMounts } from '../mounts.ts';
import { readMountinfo, readOnDisk } from '../on-disk.ts';
import { parseDf, type Space } from './parse-df.ts';

const GIBIBYTE = 1024 ** 3;
/** What is low stays so until there is half as much again: a disk on the edge must not change its answer with every log file. */
const RECOVERED = 1.5;
const KEPT = 'free_space_low';

export const freeSpace: Fact = {
  name: 'free_space',
  look: async (host: HostAccess, tools: CollectorTools) => {
    const mountpoints = await findMountpoints(host);
    if (mountpoints === undefined) return unknown('cannot read what is mounted');
    if (mountpoints.length === 0) return undefined;
    const df = await host.find('df');
    if (df === undefined) return unknown('df is not installed');
    // Its status tells of one that it could not see, and the others are told all the same.
    const { stdout } = await host.run(df, ['-B1', '--output=size,avail,target', '--', ...mountpoints]);
    const spaces = parseDf(stdout);
    const before = await readKept(tools);
    const answers = mountpoints.map((mountpoint) => judge(mountpoint, spaces, before.has(mountpoint)));
    const low = answers.flatMap((answer) => (answer.low === true ? [answer.mountpoint] : []));
    if (low.join('\n') !== [...before].join('\n')) await tools.keep(KEPT, low);
    return answers;
  },
};

function judge(mountpoint: string, spaces: readonly Space[], wasLow: boolean): { mountpoint: string; low: unknown } {
  const space = spaces.find(({ target }) => target === mountpoint);
  if (space === undefined) return { mountpoint, low: unknown(`df does not tell of ${mountpoint}`) };
  return { mountpoint, low: space.available < lowBelow(space.size) * (wasLow ? RECOVERED : 1) };
}

/** 5 %, but at least 1 GiB, where that is no large part of a small disk, and at most 20 GiB, which is enough on the largest. */
export function lowBelow(size: number): number {
  return Math.min(Math.max(size * 0.05, GIBIBYTE), 20 * GIBIBYTE, size * 0.2);
}

/** The file systems that things are written to, /boot too: where it is full, the next kernel cannot be installed. Sorted. */
async function findMountpoints(host: HostAccess): Promise<string[] | undefined> {
  const [onDisk, text] = [await readOnDisk(host), await readMountinfo(host)];
  if (onDisk.mounts === undefined || text === undefined) return undefined;
  const visible = parseMounts(text);
  const readOnly = new Set(visible.filter(({ options }) => options.includes('ro')).map(({ mountpoint }) => mountpoint));
  const kept = onDisk.mounts.filter(({ place }) => !onDisk.removable(place)).map(({ mountpoint }) => mountpoint);
  const boot = visible.some(({ mountpoint, type }) => mountpoint === '/boot' && type !== 'autofs') ? ['/boot'] : [];
  const fleeting = automounted(text);
  return [...kept, ...boot].filter((each) => !readOnly.has(each) && !fleeting.has(each)).sort();
}

/** What is only there while somebody uses it (x-systemd.automount): it lies above the autofs that waits at the same place. */
function automounted(text: string): Set<string> {
  const all: Mount[] = text.split('\n').flatMap((line) => parseMounts(line));
  return new Set(all.filter(({ type }) => type === 'autofs').map(({ mountpoint }) => mountpoint));
}

async function readKept(tools: CollectorTools): Promise<Set<string>> {
  const value = (await tools.recall(KEPT))?.value;
  return new Set(Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []);
}
