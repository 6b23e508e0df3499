import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Finished, finish } from '../finish.ts';

export interface Ssh {
  /** Runs a script with bash, as root, up to its first failing command; broken off (124) after that time. */
  run(script: string, seconds: number): Promise<Finished>;
  /** Feeds text to one command. */
  feed(command: string, input: string, seconds: number): Promise<Finished>;
  /** A program that stays, to be talked with. */
  open(command: string): ChildProcessWithoutNullStreams;
  close(): void;
}

export interface SshOptions {
  /** holds the key, and the control socket */
  folder: string;
  port: number;
  /** root, where none is given */
  user?: string;
  /** how long to try */
  seconds: number;
  /** whether it is worth trying on */
  alive: () => boolean;
}

/** Logs in, as soon as that can be done; later commands share the connection, since each new one costs seconds under emulation. */
export async function connectSsh({ folder, port, user = 'root', seconds, alive }: SshOptions): Promise<Ssh> {
  const socket = join(folder, 'ssh');
  const files = ['-i', join(folder, 'key'), '-o', `ControlPath=${socket}`, '-p', `${port}`];
  const settings = ['BatchMode=yes', 'ConnectTimeout=20', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'];
  const options = [...files, '-F', '/dev/null', '-q', ...settings.flatMap((setting) => ['-o', setting])];
  const target = `${user}@127.0.0.1`;
  const shared = (command: string) => [...options, target, command];

  const until = performance.now() + seconds * 1000;
  while (alive() && performance.now() < until) {
    const master = spawn('setpriv', ['--pdeathsig', 'TERM', 'ssh', ...options, '-M', '-N', target], {
      stdio: 'ignore',
    });
    if (await answers(master, [...options, '-O', 'check', target], until)) return sshOver(master, shared, user);
    master.kill('SIGKILL');
    await sleep(200);
  }
  throw new Error(alive() ? `no ssh after ${seconds} s` : 'no ssh: the machine has ended');
}

async function answers(master: ChildProcess, check: string[], until: number): Promise<boolean> {
  while (master.exitCode === null && master.signalCode === null && performance.now() < until) {
    const { status } = await finish('ssh', check);
    if (status === 0) return true;
    await sleep(100);
  }
  return false;
}

function sshOver(master: ChildProcess, shared: (command: string) => string[], user: string): Ssh {
  const asRoot = user === 'root' ? 'exec bash' : 'exec sudo bash';
  return {
    run: (script, seconds) =>
      finish('timeout', ['--kill-after=5', `${seconds}`, 'ssh', ...shared(`${asRoot} -seu -o pipefail`)], {
        // Read to its end before any of it runs: what is in it may read the standard input.
        input: `{\n${script}\n} </dev/null; exit\n`,
      }),
    feed: (command, input, seconds) =>
      finish('timeout', ['--kill-after=5', `${seconds}`, 'ssh', ...shared(command)], { input }),
    open: (command) => spawn('setpriv', ['--pdeathsig', 'TERM', 'ssh', ...shared(command)], { stdio: 'pipe' }),
    close: () => void master.kill('SIGTERM'),
  };
}
