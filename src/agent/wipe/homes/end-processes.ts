import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../../../core/duration.ts';
import { NOBODY } from '../people.ts';
import type { RunTool } from '../tools.ts';

export interface Ending {
  run: RunTool;
  isTheirs: (uid: number) => boolean;
  /** services of the system that run as one of them go on */
  spareServices?: true;
}

export interface Ended {
  /** processes that are still there: they wait for a disk or a file server */
  left: number;
  /** services of the system that were stopped since they started theirs again and again */
  stopped: string[];
}

/** Each round takes what the one before let start. */
const ROUNDS = 200;
const PAUSE: Milliseconds = 100;
/** After so many rounds in which somebody came back it is asked who starts them. */
const SUSPICIOUS = 5;
const QUIET_ROUNDS = 3;

/**
 * Kills every process of certain users, and those that they start meanwhile. Whoever starts themselves again is faster than a program that reads
 * a list: see killAllOf; sessions were ended as a whole before (endSessions). Services that come back are stopped as such.
 */
export async function endProcesses({ run, isTheirs, spareServices }: Ending): Promise<Ended> {
  const stopped = new Set<string>();
  const theirs = () => processesOf(isTheirs).filter(({ unit }) => !spareServices || unit === undefined);
  let quiet = 0;
  let left: Process[] = [];
  for (let round = 0; round < ROUNDS && quiet < QUIET_ROUNDS; round++) {
    left = theirs();
    quiet = left.length === 0 ? quiet + 1 : 0;
    if (!spareServices) await killAllOf(left, run);
    for (const { pid } of theirs()) send(pid, 'SIGKILL');
    if (round >= SUSPICIOUS) await stopServices(left, stopped, run);
    await sleep(PAUSE);
  }
  return { left: left.length, stopped: [...stopped].sort() };
}

const MOST_USERS = 20;

/** kill(2) by the user's own hand, which the kernel does to all of them at once: whoever is about to fork gets it first. */
async function killAllOf(left: readonly Process[], run: RunTool): Promise<void> {
  for (const uid of [...new Set(left.map((one) => one.uid))].slice(0, MOST_USERS)) {
    await run('kill', ['-KILL', '--', '-1'], { as: { uid, gid: NOBODY }, timeout: seconds(5) });
  }
}

async function stopServices(left: readonly Process[], stopped: Set<string>, run: RunTool): Promise<void> {
  for (const { unit } of left) {
    if (unit === undefined || stopped.has(unit)) continue;
    stopped.add(unit);
    await run('systemctl', ['stop', '--no-block', '--', unit], { timeout: seconds(20) });
  }
}

interface Process {
  pid: number;
  /** of these users; root's processes are never among them */
  uid: number;
  /** of the system, not of a user's manager or session */
  unit?: string;
}

function processesOf(isTheirs: (uid: number) => boolean): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || name === '1') return [];
    const { uids, state } = statusOf(name);
    // A zombie is gone already.
    if (state === 'Z' || state === 'X') return [];
    const uid = uids.find(isTheirs);
    if (uid === undefined) return [];
    const unit = unitOf(textOf(`/proc/${name}/cgroup`));
    return [{ pid: Number(name), uid, ...(unit === undefined ? {} : { unit }) }];
  });
}

/** Real, effective, saved and file system's user (proc_pid_status(5)). */
function statusOf(pid: string): { uids: number[]; state: string } {
  const text = textOf(`/proc/${pid}/status`);
  const [, ...uids] = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(text) ?? [];
  return { uids: uids.map(Number), state: /^State:\t(\w)/m.exec(text)?.[1] ?? '' };
}

/** @param text of /proc/PID/cgroup. Below their own slice users name groups as they like. */
export function unitOf(text: string): string | undefined {
  return /^(?:0::|\d+:name=systemd:)\/system\.slice\/(?:[^/\n]+\.slice\/)*([^/\n]+\.service)(?:\/|$)/m.exec(text)?.[1];
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** Ends sessions and what systemd runs for these users, a service of theirs that root runs in their session included. */
export async function endSessions(run: RunTool, names: readonly string[], uids: readonly number[]): Promise<void> {
  for (const name of names) {
    await run('loginctl', ['disable-linger', '--', name], { timeout: seconds(15) });
    await run('loginctl', ['terminate-user', '--', name], { timeout: seconds(15) });
  }
  for (const uid of uids) {
    try {
      // cgroup v2: all of it at once, whatever it starts meanwhile.
      writeFileSync(`/sys/fs/cgroup/user.slice/user-${uid}.slice/cgroup.kill`, '1');
    } catch {
      // no such slice, or an older kernel: the processes are looked for one by one
    }
  }
}
