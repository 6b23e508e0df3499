import { readdirSync, readFileSync } from 'node:fs';
import { kill, pid as own } from 'node:process';

/** Rounds in which what was started meanwhile is found; each leaves less that could start more. */
const MOST_ROUNDS = 20;

/**
 * Kills every process that has this in its environment: what a program started keeps it, in whatever session or group it went. Not found is what throws its
 * environment away; where systemd runs the order, its cgroup ends that too.
 */
export function killMarked(mark: string): void {
  const killed = new Set<string>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !killed.has(name));
    const found = names.filter((name) => isMarked(name, mark));
    if (found.length === 0) return;
    for (const name of found) {
      killQuietly(Number(name));
      killed.add(name);
    }
  }
}

function isMarked(name: string, mark: string): boolean {
  if (Number(name) === own) return false;
  try {
    // A killed one that nobody has waited for yet has none any more.
    return readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(mark);
  } catch {
    return false;
  }
}

function killQuietly(pid: number): void {
  try {
    kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
