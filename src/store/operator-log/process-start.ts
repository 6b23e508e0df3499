import { readFile } from 'node:fs/promises';

/** Tells one process from another that gets its number later: the boot, and the process's start in it. @returns undefined where there is none */
export async function processStart(pid: number | 'self'): Promise<string | undefined> {
  try {
    const [boot, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // proc_pid_stat(5): the name in parentheses may hold anything; the start is field 22, the 20th behind it
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return ticks === undefined ? undefined : `${boot.trim()}:${ticks}`;
  } catch {
    return undefined;
  }
}
