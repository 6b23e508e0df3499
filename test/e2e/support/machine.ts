import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { boot } from './boot.ts';
import { type Finished, finish, type RunOptions } from './finish.ts';
import { rootfs, type Suite, type Variant } from './rootfs.ts';

/** A booted machine with a systemd of its own. */
export interface Machine {
  /** its process 1, as the host numbers it */
  readonly leader: number;
  /** Runs it as a service of the machine: its capabilities, cgroup and environment. Throws unless it exits with 0. */
  run(command: string[], options?: RunOptions): Promise<string>;
  /** As `run`, but tells the exit status instead of throwing. */
  attempt(command: string[], options?: RunOptions): Promise<Finished>;
  write(path: string, content: string, mode?: string): Promise<void>;
  /** Asks until there is an answer; throws after a minute. */
  until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T>;
}

export interface BootedMachine extends Machine {
  /** Reboots it, and waits until it is up again; what it wrote is there still. Only for one that `keeps`. */
  reboot(): Promise<void>;
}

export interface MachineOptions {
  suite?: Suite;
  /** of its root file system */
  variant?: Variant;
  /** shown read-only inside: path here → path there */
  binds?: Record<string, string>;
  /** whether network filters of services are real */
  filters?: boolean;
  /** whether it can be rebooted, and knows then what it wrote */
  keeps?: boolean;
}

/** Where the built programs, their native module, the checks and test/fixtures/machine stand in a machine. */
export const PROGRAMS = '/opt/penguindome';
const SHOWN = {
  build: 'build',
  'checks.d': 'checks.d',
  node_modules: 'node_modules',
  'package.json': 'package.json',
  'test/fixtures/machine': 'machine',
};

/** Boots a machine that forgets all when it is halted, on a network of its own, and halts it when the test ends. */
export async function bootMachine(t: ExecutionContext, options: MachineOptions = {}): Promise<BootedMachine> {
  t.timeout(600_000, 'a root file system that is not built');
  const tree = await rootfs(options.suite ?? 'trixie', options.variant);
  t.timeout(180_000, 'a machine that hangs');
  const shown = Object.fromEntries(
    Object.entries(SHOWN).map(([from, to]) => [join(process.cwd(), from), join(PROGRAMS, to)]),
  );
  const booted = await boot(tree, { ...shown, ...options.binds }, options);
  t.teardown(booted.halt);
  const attempt = (command: string[], runOptions?: RunOptions) =>
    finish('nsenter', [...`-t ${booted.leader} -a -- ${AS_SERVICE}`.split(' '), ...command], runOptions);
  const machine: BootedMachine = {
    get leader() {
      return booted.leader;
    },
    reboot: booted.reboot,
    attempt,
    async run(command, runOptions) {
      const { status, stdout, stderr } = await attempt(command, runOptions);
      if (status !== 0) throw new Error(`${command.join(' ')}: exit status ${status}\n${stdout}${stderr}`);
      return stdout;
    },
    async write(path, content, mode = '644') {
      const script = 'install -D -m "$1" /dev/null "$2" && cat >"$2"';
      await machine.run(['sh', '-c', script, 'sh', mode, path], { input: content });
    },
    until,
  };
  t.teardown(async () => {
    if (!t.passed) t.log((await attempt(['journalctl', '--no-pager', '-u', 'penguindome*', '-n', '60'])).stdout);
  });
  return machine;
}

const AS_SERVICE = 'systemd-run --quiet --wait --pipe --collect --working-directory=/root --setenv=HOME=/root --';

export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(200);
  }
  throw new Error(`waited a minute for: ${what}`);
}
