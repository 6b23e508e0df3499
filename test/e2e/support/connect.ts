import { finish } from './finish.ts';
import type { Machine } from './machine.ts';

/** The addresses of two connected machines, in the order of the arguments. */
export const ADDRESSES = ['10.77.0.1', '10.77.0.2'] as const;

/** Joins two machines by a cable of their own (a pair of veth): the host's network has no part in it. Each end is `cable0`. */
export async function connect(first: Machine, second: Machine): Promise<void> {
  const pair = `ip link add cable0 type veth peer name cable0 netns ${second.leader}`;
  const { status, stderr } = await finish('nsenter', ['-t', `${first.leader}`, '-n', '--', ...pair.split(' ')]);
  if (status !== 0) throw new Error(`cannot connect two machines: ${stderr}`);
  const ends = [first, second];
  for (const [index, address] of ADDRESSES.entries()) {
    await ends[index]?.run(['ip', 'addr', 'add', `${address}/24`, 'dev', 'cable0']);
    await ends[index]?.run(['ip', 'link', 'set', 'cable0', 'up']);
  }
}

/** Pulls the plug, or puts it back. */
export async function plug(machine: Machine, state: 'up' | 'down'): Promise<void> {
  await machine.run(['ip', 'link', 'set', 'cable0', state]);
}
