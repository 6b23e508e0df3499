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

/** Files of one process that are looked at first: a service listens before it opens much else. */
const FEW = 64;
/** Files of one process at most. */
const MOST = 4096;
/** Files of all: anybody may hold half a million in each of many processes. */
const MOST_AT_FIRST = 50_000;
const MOST_LATER = 50_000;

interface Search {
  wanted: Set<string>;
  holders: Map<string, string>;
  /** files that may yet be looked at */
  left: number;
}

/**
 * Who holds these sockets, by inode. Looks no further once all are found. A few files of each process come first, and only then those who
 * have many: the system's before those of people's sessions, where somebody may have opened them to hide another one.
 */
export async function holdersOf(host: HostAccess, inodes: Iterable<string>): Promise<Map<string, string>> {
  const search: Search = { wanted: new Set(inodes), holders: new Map(), left: MOST_AT_FIRST };
  const unseen = await look(host, await processNumbers(host), FEW, search);
  if (search.wanted.size === 0) return search.holders;
  const [systems, people] = await bySlice(host, unseen);
  search.left = MOST_LATER;
  await look(host, systems, MOST, search);
  await look(host, people, MOST, search);
  return search.holders;
}

/** @param most files of each process @returns the processes that may have more */
async function look(host: HostAccess, pids: readonly string[], most: number, search: Search): Promise<string[]> {
  const unseen: string[] = [];
  for (const [index, pid] of pids.entries()) {
    if (search.wanted.size === 0) break;
    if (search.left <= 0) return [...unseen, ...pids.slice(index)];
    const files = (await namesIn(host, `/proc/${pid}/fd`, most)) ?? [];
    search.left -= files.length + 1;
    if (files.length >= most) unseen.push(pid);
    const held = await socketsOf(host, pid, files, search.wanted);
    const program = held.length === 0 ? undefined : await programOf(host, pid);
    if (program === undefined) continue;
    for (const inode of held) {
      search.holders.set(inode, program);
      search.wanted.delete(inode);
    }
  }
  return unseen;
}

/** systemd keeps what people start below user.slice, whoever it runs as; they cannot leave it. */
async function bySlice(host: HostAccess, pids: readonly string[]): Promise<[systems: string[], people: string[]]> {
  const [systems, people]: [string[], string[]] = [[], []];
  for (let start = 0; start < pids.length; start += AT_ONCE) {
    const some = pids.slice(start, start + AT_ONCE);
    const texts = await Promise.all(some.map((pid) => textOf(host, `/proc/${pid}/cgroup`)));
    for (const [index, pid] of some.entries()) {
      (/:\/user\.slice\//.test(texts[index] ?? '') ? people : systems).push(pid);
    }
  }
  return [systems, people];
}

async function socketsOf(
  host: HostAccess,
  pid: string,
  files: readonly string[],
  wanted: ReadonlySet<string>,
): Promise<string[]> {
  const held: string[] = [];
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
