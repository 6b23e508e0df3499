import type { Host } from '../../core/host.ts';
import type { Captured, OrderReport, OrderTarget } from '../../core/order.ts';
import type { PatchRecord } from '../../core/patch.ts';
import { type Fields, isFields, type Value } from '../../core/value.ts';
import type { Store } from '../../store/port.ts';

/** What became of a patch on a host that runs, or ran, the original client; in the words of orders, so that both are shown alike. */
export interface V1Outcome extends Pick<OrderTarget, 'order' | 'hostname' | 'state'> {
  /** when it was made, or the result came; the original client does not tell when it applied a patch */
  at: Date;
  report?: Omit<OrderReport, 'number'>;
}

/** By host name. `fetched`: the host has it, and has not told a result yet. */
export async function readOutcomes(store: Pick<Store, 'hosts'>, patch: PatchRecord): Promise<V1Outcome[]> {
  const all = new Set([...patch.pending_hosts, ...patch.completed_hosts, ...patch.cancelled_hosts]);
  const outcomes: V1Outcome[] = [];
  for (const hostname of [...all].sort()) outcomes.push(await outcomeOf(store, patch, hostname));
  return outcomes;
}

async function outcomeOf({ hosts }: Pick<Store, 'hosts'>, patch: PatchRecord, hostname: string): Promise<V1Outcome> {
  const { id: order, command, submitted_at: at } = patch;
  const host = await hosts.find(hostname);
  const report = host && resultOf(patch, host);
  if (report !== undefined) return { order, hostname, state: report.state, at: report.at, report };
  const plain = { order, hostname, at };
  if (patch.completed_hosts.includes(hostname)) return { ...plain, state: command === undefined ? 'done' : 'fetched' };
  if (patch.cancelled_hosts.includes(hostname)) return { ...plain, state: 'cancelled' };
  // what has enrolled is refused by v1
  return { ...plain, state: host?.identity === undefined ? 'queued' : 'expired' };
}

/** What the host told of a one-time command. */
export function resultOf(
  { id, command, submitted_at }: PatchRecord,
  { commands }: Pick<Host, 'commands'>,
): V1Outcome['report'] | undefined {
  if (command === undefined || commands === undefined || !Object.hasOwn(commands, command)) return undefined;
  const result = commands[command];
  return isFields(result) ? reportOf(id, result, submitted_at) : undefined;
}

/** wire-v1 `submit`: `output` of one that succeeded; both outputs and the status of one that failed, which runs again until it succeeds. */
function reportOf(order: string, result: Fields, made: Date): Omit<OrderReport, 'number'> {
  const { output, stdout, stderr, returncode, submitted_at } = result;
  const at = submitted_at instanceof Date ? submitted_at : made;
  if (typeof returncode !== 'number' || returncode === 0) {
    return { order, state: 'done', at, exit_status: 0, ...captured('stdout', output ?? stdout) };
  }
  // Python tells a signal as a negative status
  const status = returncode < 0 ? { signal: `SIG${-returncode}` } : { exit_status: returncode };
  return { order, state: 'failed', at, ...status, ...captured('stdout', stdout), ...captured('stderr', stderr) };
}

function captured<K extends 'stdout' | 'stderr'>(key: K, value: Value | undefined): { [key in K]?: Captured } {
  const text = typeof value === 'string' ? value : value === undefined ? undefined : JSON.stringify(value);
  const held: { [key in K]?: Captured } = {};
  if (text !== undefined) held[key] = { text, bytes: Buffer.byteLength(text), truncated: false };
  return held;
}
