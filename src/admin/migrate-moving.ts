import { days } from '../core/duration.ts';
import { foldName, type Host } from '../core/host.ts';
import type { PatchRecord } from '../core/patch.ts';
import type { Store } from '../store/port.ts';
import { showAge } from './show-time.ts';
import { resultOf } from './v1/outcomes.ts';

/** How far `migrate host` has come with a host that still runs the original client. */
export interface Moving {
  /**
   * `ordered`: the host has not fetched the command. `fetched`: it has, and did not tell a result yet. `failed`: it told one, and tries again.
   * `waits`: its key waits for approval. `ended`: a day went by without that, or the command was done in vain: say it again.
   */
  state: 'ordered' | 'fetched' | 'failed' | 'waits' | 'ended';
  /** since when */
  at: Date;
  /** of `failed` and `ended`: the last line that the command wrote */
  why?: string;
}

/** As long as its token: whoever has the key that all original clients share can fetch both. */
export const LASTS = days(1);

export async function readMoving(
  store: Pick<Store, 'patches' | 'enrollments'>,
  now: Date,
): Promise<(host: Host) => Moving | undefined> {
  const waiting = new Map<string, Date>();
  for (const { hostname, status, enrolled_at } of await store.enrollments.list()) {
    if (status === 'pending') waiting.set(foldName(hostname), enrolled_at);
  }
  const newest = new Map<string, PatchRecord>();
  for await (const patch of store.patches.list()) {
    if (patch.purpose !== 'migration') continue;
    for (const hostname of [...patch.pending_hosts, ...patch.completed_hosts]) {
      if (!newest.has(hostname)) newest.set(hostname, patch);
    }
  }
  return (host) => {
    const at = waiting.get(foldName(host.hostname));
    if (at !== undefined) return { state: 'waits', at };
    const patch = newest.get(host.hostname);
    return patch && movingBy(patch, host, now);
  };
}

function movingBy(patch: PatchRecord, host: Host, now: Date): Moving {
  const { submitted_at: at } = patch;
  const ends = new Date(at.getTime() + LASTS);
  const report = resultOf(patch, host);
  const said = report?.stderr?.text ?? report?.stdout?.text;
  const why = said === undefined ? {} : { why: said.trimEnd().split('\n').at(-1) ?? '' };
  if (ends <= now || report?.state === 'done') return { state: 'ended', at: report?.at ?? ends, ...why };
  if (report !== undefined) return { state: 'failed', at: report.at, ...why };
  return { state: patch.pending_hosts.includes(host.hostname) ? 'ordered' : 'fetched', at };
}

const SHOWN: Record<Moving['state'], string> = {
  ordered: 'has not fetched the command',
  fetched: 'is at it',
  failed: 'failed, and tries again',
  waits: 'waits for approval',
  ended: 'ended; say it again',
};

export function showMoving(moving: Moving | null, now: Date): string {
  if (moving === null) return '-';
  const { state, at, why } = moving;
  return `${SHOWN[state]} (${showAge(at, now)})${why === undefined ? '' : `: ${why}`}`;
}
