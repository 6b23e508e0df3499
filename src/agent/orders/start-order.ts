import { spawn } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { seconds } from '../../core/duration.ts';
import type { AgentContext } from '../context.ts';
import { programEnvironment } from '../host-access.ts';
import type { Places } from '../places.ts';
import { runCommand } from '../run-command.ts';

const SYSTEMD_RUN = '/usr/bin/systemd-run';
const SYSTEMCTL = '/usr/bin/systemctl';
const SUBMIT = 'penguindome-submit.service';
/** What the manager gets to start a unit. */
const START = seconds(30);
/** What comes too late goes with the next timer. */
const HAND_OVER = seconds(50);
/** What an order's own time limit gets on top, before systemd ends what is left of it. */
const GRACE_SECONDS = 60;

type Where = Pick<Places, 'state' | 'settings'>;
export type Starting = Pick<AgentContext, 'uid' | 'home' | 'program' | 'signal'>;

/** How orders run here: in a transient unit of systemd's, outside of the agent's own sandbox and cgroup; or in a process of ours. */
export type OrdersRun = 'systemd' | 'child';

export function howOrdersRun(uid: number): OrdersRun {
  return uid === 0 && isSystemdHere() ? 'systemd' : 'child';
}

/** sd_booted(3) */
function isSystemdHere(): boolean {
  try {
    return lstatSync('/run/systemd/system').isDirectory();
  } catch {
    return false;
  }
}

/**
 * Starts `penguindome-agent order-run ID` apart from us, so that it outlives us, and what it does may replace us.
 * @param limit seconds that it may take
 * @throws where it cannot be started; nothing has begun then
 */
export async function startOrder(
  context: Starting,
  { state, settings }: Where,
  order: string,
  limit: number,
): Promise<void> {
  const args = [...agentCommand(context, { state, settings }), 'order-run', order];
  if (howOrdersRun(context.uid) === 'child') return startProcess(context, args);
  const { code, stderr } = await runCommand({
    path: SYSTEMD_RUN,
    args: [...unitOptions(order, limit), '--', context.program.node, ...args],
    timeout: START,
    maxOutput: 64 * 1024,
    env: programEnvironment(context.home),
    signal: context.signal,
  });
  if (code !== 0) throw new Error(`cannot start the order's unit: ${stderr.trim() || 'systemd-run did not answer'}`);
}

function unitOptions(order: string, limit: number): string[] {
  return [
    ...['--collect', '--quiet', '--no-ask-password', `--unit=penguindome-order-${order}`, '--service-type=exec'],
    `--description=PenguinDome order ${order}`,
    `--property=RuntimeMaxSec=${limit + GRACE_SECONDS}`,
    '--property=TimeoutStopSec=20',
  ];
}

function startProcess({ program, home }: Starting, args: readonly string[]): void {
  const child = spawn(program.node, [...args], {
    cwd: '/',
    detached: true,
    env: programEnvironment(home),
    stdio: 'ignore',
  });
  child.on('error', () => undefined);
  if (child.pid === undefined) throw new Error('cannot start the order: no process could be made');
  child.unref();
}

/**
 * Has handed over what became of an order, without waiting for the next timer. Where there is no unit for it, waits for its end: what an order's unit
 * leaves behind is ended with it.
 */
export async function startSubmit(context: Starting, places: Where): Promise<void> {
  if (await startUnit(context, SUBMIT)) return;
  await runCommand({
    path: context.program.node,
    args: [...agentCommand(context, places), 'submit'],
    timeout: HAND_OVER,
    maxOutput: 64 * 1024,
    env: programEnvironment(context.home),
    signal: context.signal,
  });
}

function agentCommand({ program }: Starting, { state, settings }: Where): string[] {
  return [program.agent, '--state', state, '--config', settings];
}

/** Starts a unit of the agent's, where systemd and that unit are here. @returns false where not */
export async function startUnit({ uid, home, signal }: Starting, unit: string): Promise<boolean> {
  if (howOrdersRun(uid) !== 'systemd') return false;
  const { code } = await runCommand({
    path: SYSTEMCTL,
    args: ['start', '--no-block', '--no-ask-password', unit],
    timeout: START,
    maxOutput: 64 * 1024,
    env: programEnvironment(home),
    signal,
  });
  return code === 0;
}
