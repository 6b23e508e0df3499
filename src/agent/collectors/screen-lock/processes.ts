import type { HostAccess } from '../../collector.ts';
import { namesIn, textOf } from '../lenient.ts';

export interface Process {
  pid: number;
  /** at most 15 characters of its program's name */
  name: string;
  uid: number;
}

/** Read side by side: each is an open file. */
const AT_ONCE = 64;
/** bytes */
const MOST_GIVEN = 64 * 1024;
/** The kernel keeps no more of a name (TASK_COMM_LEN). */
const NAME_LENGTH = 15;

/** All that run, by number, without those in containers on this machine. @returns undefined where /proc cannot be listed */
export async function readProcesses(host: HostAccess): Promise<Process[] | undefined> {
  const pids = (await namesIn(host, '/proc'))?.filter((name) => /^\d+$/.test(name)).map(Number);
  pids?.sort((a, b) => a - b);
  const found: (Process | undefined)[] = [];
  for (let start = 0; start < (pids?.length ?? 0); start += AT_ONCE) {
    const some = pids?.slice(start, start + AT_ONCE) ?? [];
    found.push(
      ...(await Promise.all(some.map(async (pid) => parseStatus(pid, await textOf(host, `/proc/${pid}/status`))))),
    );
  }
  return pids && found.filter((process) => process !== undefined);
}

/** /proc/PID/status (proc(5)). A second number after NSpid means that it runs in a container. */
export function parseStatus(pid: number, text: string | undefined): Process | undefined {
  const name = /^Name:\t(.*)$/m.exec(text ?? '')?.[1];
  const uid = /^Uid:\t(\d+)\t/m.exec(text ?? '')?.[1];
  if (name === undefined || uid === undefined || /^NSpid:\t\d+\t/m.test(text ?? '')) return undefined;
  return { pid, name, uid: Number(uid) };
}

export function named(processes: readonly Process[], program: string): Process | undefined {
  return processes.find(({ name }) => name === program.slice(0, NAME_LENGTH));
}

/** Its arguments, the program's name first; none where it has ended. */
export async function argumentsOf(host: HostAccess, { pid }: Process): Promise<string[]> {
  const words = ((await headOf(host, `/proc/${pid}/cmdline`)) ?? '').split('\0');
  return words.at(-1) === '' ? words.slice(0, -1) : words;
}

export async function environmentOf(host: HostAccess, { pid }: Process): Promise<Map<string, string>> {
  const lines = ((await headOf(host, `/proc/${pid}/environ`)) ?? '').split('\0');
  return new Map(
    lines
      .map((line) => /^([A-Z_]+)=(.*)$/s.exec(line))
      .filter((match) => match !== null)
      .map(([, key = '', value = '']) => [key, value]),
  );
}

/** What a process was given may be megabytes, and each of a user's thousands may have as much. */
async function headOf(host: HostAccess, path: string): Promise<string | undefined> {
  try {
    return await host.readText(path, { max: MOST_GIVEN, head: true });
  } catch {
    return undefined;
  }
}
