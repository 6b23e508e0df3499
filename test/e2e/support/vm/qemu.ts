import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFields } from '../../../../src/core/value.ts';

/** The machine's disks, in the order in which its kernel names them: vda, vdb, vdc, vdd. */
export const DISKS = ['system', 'one', 'two', 'sealed'] as const;

/** A longer life than any test's: what hangs in a way that nobody thought of ends with it. */
const LIFE = '20m';

export interface Qemu {
  readonly running: boolean;
  /** One command of the human monitor. @returns what it prints, which is nothing when all is well */
  monitor(command: string): Promise<string>;
  /** Ends it, by force where it hangs. */
  stop(): Promise<void>;
  /** Ends it as a power cut does: the machine has no time for anything. */
  cutPower(): Promise<void>;
}

export interface QemuOptions {
  /** holds kernel, initrd and one qcow2 file for each disk; the console's log goes there too */
  folder: string;
  /** of 127.0.0.1, forwarded to the machine's sshd */
  port: number;
  /** start from this snapshot instead of booting */
  snapshot?: string;
}

/** Starts a virtual machine in software emulation, so that it needs no /dev/kvm. Its only way out is the forwarded port. */
export function startQemu(options: QemuOptions): Qemu {
  return runQemu(options.folder, argumentsFor(options));
}

/** What every machine here has, and no other device besides. */
export const EMULATED =
  '-machine q35,accel=tcg -cpu max -smp 2 -m 1024 -nodefaults -no-reboot -display none -qmp stdio'.split(' ');

/** @param folder gets what qemu complains of */
export function runQemu(folder: string, args: string[]): Qemu {
  const log = openSync(join(folder, 'qemu.log'), 'a');
  // A test process that is killed takes the machine along, and so does the end of its life.
  const bound = `--pdeathsig TERM timeout --kill-after=5 ${LIFE} setpriv --pdeathsig KILL`.split(' ');
  const child = spawn('setpriv', [...bound, 'qemu-system-x86_64', ...args], {
    stdio: ['pipe', 'pipe', log],
  });
  closeSync(log);
  const ended = new Promise<'ended'>((resolve) => {
    child.on('close', () => resolve('ended'));
    child.on('error', () => resolve('ended'));
  });
  const ask = speakQmp(child, ended);
  const greeted = ask('qmp_capabilities', {});
  greeted.catch(() => undefined);
  const monitor = async (command: string) => {
    await greeted;
    return String(await ask('human-monitor-command', { 'command-line': command }));
  };
  return {
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    monitor,
    async stop() {
      monitor('quit').catch(() => undefined);
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        if ((await Promise.race([ended, sleep(5000, 'hangs', { ref: false })])) === 'ended') return;
        child.kill(signal);
      }
      await ended;
    },
    async cutPower() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function argumentsFor({ folder, port, snapshot }: QemuOptions): string[] {
  const disks = DISKS.flatMap((name) => [
    ...['-drive', `file=${join(folder, `${name}.qcow2`)},if=none,id=${name},discard=unmap`],
    ...['-device', `virtio-blk-pci,drive=${name},serial=${name}`],
  ]);
  return [
    ...EMULATED,
    ...['-serial', `file:${join(folder, 'console.log')}`],
    ...['-kernel', join(folder, 'kernel'), '-initrd', join(folder, 'initrd')],
    ...['-append', 'root=LABEL=system rw console=ttyS0 net.ifnames=0 quiet'],
    ...disks,
    ...['-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ...'-device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci'.split(' '),
    ...(snapshot === undefined ? [] : ['-loadvm', snapshot]),
  ];
}

/** QEMU's machine protocol over its standard input and output: JSON objects, one a line; events come in between. */
function speakQmp(child: ChildProcess, ended: Promise<unknown>) {
  const waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  let over = false;
  void ended.then(() => {
    over = true;
    for (const { reject } of waiting.splice(0)) reject(new Error('qemu ended'));
  });
  child.stdin?.on('error', () => undefined);
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said: unknown = JSON.parse(line);
      if (!isFields(said)) return;
      if ('return' in said) waiting.shift()?.resolve(said['return']);
      else if ('error' in said) waiting.shift()?.reject(new Error(`qemu: ${line}`));
    });
  }
  return (execute: string, args: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (over) return reject(new Error('qemu ended'));
      waiting.push({ resolve, reject });
      child.stdin?.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
}
