import { type ChildProcess, spawn } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { finish } from './finish.ts';
import type { Machine } from './machine.ts';

/** Several machines on one bridge. */
export interface Network {
  /** Puts the machine's cable in, again after each reboot. @returns its address, the same each time */
  join(machine: Machine): Promise<string>;
  /** Pulls the machine's cable at the bridge's end, or puts it back: the machine sees that its link is gone. */
  plug(machine: Machine, state: 'up' | 'down'): Promise<void>;
}

const PREFIX = '10.77.0';

/**
 * A bridge in a network namespace that a process of the test's own holds: it, its ports and the cables end with that process, however the
 * test ends, and neither the host's network nor another test's machines, with the same names and addresses, have any part in it.
 */
export async function bridgeNetwork(t: ExecutionContext): Promise<Network> {
  const holder = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', 'infinity'], {
    stdio: 'ignore',
  });
  t.teardown(() => void holder.kill('SIGKILL'));
  await hasOwnNetwork(holder);
  const bridge = (command: string) => inNetworkOf(holder.pid, command);
  await bridge('ip link add bridge0 type bridge');
  await bridge('ip link set bridge0 up');
  const joined: Machine[] = [];
  const portOf = (machine: Machine) => {
    if (!joined.includes(machine)) joined.push(machine);
    return joined.indexOf(machine) + 1;
  };
  return {
    async join(machine) {
      const port = portOf(machine);
      const inside = (command: string) => inNetworkOf(machine.leader, command);
      // The kernel may not be done yet with the cable of the boot before.
      await bridge(`ip link del port${port}`).catch(() => undefined);
      await inside(`ip link add lan0 type veth peer name port${port} netns ${holder.pid}`);
      await bridge(`ip link set port${port} master bridge0 up`);
      await inside(`ip addr add ${PREFIX}.${port}/24 dev lan0`);
      await inside('ip link set lan0 up');
      return `${PREFIX}.${port}`;
    },
    plug: (machine, state) => bridge(`ip link set port${portOf(machine)} ${state}`),
  };
}

async function inNetworkOf(pid: number | undefined, command: string): Promise<void> {
  const { status, stderr } = await finish('nsenter', ['-t', `${pid}`, '-n', '--', ...command.split(' ')]);
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}

async function hasOwnNetwork(holder: ChildProcess): Promise<void> {
  const ours = await readlink('/proc/self/ns/net');
  for (let tries = 0; tries < 200; tries++) {
    const theirs = await readlink(`/proc/${holder.pid}/ns/net`).catch(() => ours);
    if (theirs !== ours) return;
    await sleep(20);
  }
  throw new Error('cannot make a network: unshare(1) is not done after four seconds');
}
