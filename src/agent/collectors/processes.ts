import type { HostAccess } from '../collector.ts';
import { namesIn, textOf } from './lenient.ts';

export interface Process {
  pid: string;
  /** its name, which it may choose itself: 15 characters at most */
  comm: string;
}

/** Processes looked at side by side: each is an open file. */
const AT_ONCE = 64;

/** A collection asks several times, and has a host of its own each time. */
const seen = new WeakMap<HostAccess, Promise<Process[] | undefined>>();

/** All processes. @returns undefined where those of others are hidden (hidepid) */
export function processes(host: HostAccess): Promise<Process[] | undefined> {
  const known = seen.get(host) ?? look(host);
  seen.set(host, known);
  return known;
}

async function look(host: HostAccess): Promise<Process[] | undefined> {
  if ((await textOf(host, '/proc/1/comm')) === undefined) return undefined;
  const pids = ((await namesIn(host, '/proc')) ?? []).filter((name) => /^\d+$/.test(name));
  const found: Process[] = [];
  for (let start = 0; start < pids.length; start += AT_ONCE) {
    const comms = await Promise.all(
      pids.slice(start, start + AT_ONCE).map(async (pid) => ({ pid, comm: await textOf(host, `/proc/${pid}/comm`) })),
    );
    // What ended meanwhile has none.
    for (const { pid, comm } of comms) if (comm !== undefined) found.push({ pid, comm: comm.trimEnd() });
  }
  return found;
}

/**
 * Does a system's service of one of these names run? Anybody can give a process a name, and a container's are not this machine's:
 * only those of system accounts (proc_pid_status(5): Uid) that run nowhere deeper (NSpid) count.
 * @param names as in /proc/PID/comm
 */
export async function serviceRuns(host: HostAccess, names: readonly string[]): Promise<boolean | undefined> {
  const wanted = new Set(names.map((name) => name.slice(0, 15)));
  const found = (await processes(host))?.filter(({ comm }) => wanted.has(comm));
  if (found === undefined) return undefined;
  const statuses = await Promise.all(found.map(({ pid }) => textOf(host, `/proc/${pid}/status`)));
  return statuses.some((status) => {
    const uid = /^Uid:\t(\d+)/m.exec(status ?? '')?.[1];
    const nested = /^NSpid:\t\d+\t/m.test(status ?? '');
    return uid !== undefined && Number(uid) < 1000 && !nested;
  });
}

/** Does a process run this very program? @returns undefined where that is not to be seen: not root */
export function programRuns(host: HostAccess, path: string): Promise<boolean | undefined> {
  const isIt = (program: string) => program === path || program === `${path} (deleted)`;
  return anyRuns(host, [path.replace(/^.*\//, '')], isIt);
}

/** Does a process of one of these names run a program that is meant? */
export async function anyRuns(
  host: HostAccess,
  names: readonly string[],
  isIt: (program: string) => boolean,
): Promise<boolean | undefined> {
  const wanted = new Set(names.map((name) => name.slice(0, 15)));
  const called = (await processes(host))?.filter(({ comm }) => wanted.has(comm));
  if (called === undefined) return undefined;
  const seen = await Promise.all(called.map(({ pid }) => programOf(host, pid)));
  if (seen.some((program) => program !== HIDDEN && isIt(program))) return true;
  return seen.includes(HIDDEN) ? undefined : false;
}

const HIDDEN = Symbol('hidden');

/** One that has ended meanwhile runs none, which is not the same as one that may not be looked at. */
async function programOf(host: HostAccess, pid: string): Promise<string | typeof HIDDEN> {
  try {
    return (await host.readLink(`/proc/${pid}/exe`)) ?? '';
  } catch {
    return HIDDEN;
  }
}
