import type { HostAccess } from '../../collector.ts';
import { linkAt, namesIn, textOf } from '../lenient.ts';

/** Processes looked at side by side: each is an open file. */
const AT_ONCE = 64;

/** Numbers of all processes that are to be seen, smallest first: where several share a socket, the service is mostly older than its helpers. */
export async function processNumbers(host: HostAccess): Promise<string[]> {
  const names = ((await namesIn(host, '/proc')) ?? []).filter((name) => /^\d+$/.test(name));
  return names.sort((a, b) => Number(a) - Number(b));
}

/** Names of all running programs, as the kernel keeps them: their first 15 bytes. @returns undefined where processes of others are hidden */
export async function runningPrograms(host: HostAccess): Promise<Set<string> | undefined> {
  // hidepid hides process 1 from everybody but root; what is seen then is not all.
  if ((await textOf(host, '/proc/1/comm')) === undefined) return undefined;
  const names = new Set<string>();
  const pids = await processNumbers(host);
  for (let start = 0; start < pids.length; start += AT_ONCE) {
    const found = await Promise.all(pids.slice(start, start + AT_ONCE).map((pid) => programOf(host, pid)));
    for (const name of found) if (name !== undefined) names.add(name);
  }
  return names;
}

/** Who holds these sockets, by inode. Looks no further once all are found. */
export async function holdersOf(host: HostAccess, inodes: Iterable<string>): Promise<Map<string, string>> {
  const wanted = new Set(inodes);
  const holders = new Map<string, string>();
  for (const pid of await processNumbers(host)) {
    if (wanted.size === 0) break;
    const held = await socketsOf(host, pid, wanted);
    const program = held.length === 0 ? undefined : await programOf(host, pid);
    if (program === undefined) continue;
    for (const inode of held) {
      holders.set(inode, program);
      wanted.delete(inode);
    }
  }
  return holders;
}

async function socketsOf(host: HostAccess, pid: string, wanted: ReadonlySet<string>): Promise<string[]> {
  const held: string[] = [];
  const files = (await namesIn(host, `/proc/${pid}/fd`)) ?? [];
  for (let start = 0; start < files.length; start += AT_ONCE) {
    const some = files.slice(start, start + AT_ONCE);
    for (const link of await Promise.all(some.map((file) => linkAt(host, `/proc/${pid}/fd/${file}`)))) {
      const inode = /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1];
      if (inode !== undefined && wanted.has(inode)) held.push(inode);
    }
  }
  return held;
}

async function programOf(host: HostAccess, pid: string): Promise<string | undefined> {
  return (await textOf(host, `/proc/${pid}/comm`))?.replace(/\n$/, '');
}
