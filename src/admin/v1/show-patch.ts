import { OperatorError } from '../../core/errors.ts';
import { isSameName } from '../../core/host.ts';
import type { OrderKind, OrderState } from '../../core/order.ts';
import type { PatchRecord } from '../../core/patch.ts';
import type { AdminContext } from '../context.ts';
import { printFacts } from '../show-manifest.ts';
import { printOutcomes } from '../show-outcome.ts';
import { showTime } from '../show-time.ts';
import { readOutcomes } from './outcomes.ts';

/** `orders show` of a patch for hosts that run the original client. @param host only this one */
export async function showPatch(context: AdminContext, patch: PatchRecord, host: string | undefined): Promise<void> {
  const { output } = context;
  const all = await readOutcomes(await context.store(), patch);
  const targets = all.filter(({ hostname }) => host === undefined || isSameName(hostname, host));
  if (host !== undefined && targets.length === 0) {
    throw new OperatorError(`cannot find ${host} among the hosts of the patch ${patch.id}`);
  }
  const { id, command, by = '-', why = '', submitted_at, files } = patch;
  if (output.wantsJson) return output.json({ ...summaryOf(patch), command, files: told(files), targets });
  printFacts(output, [
    ['patch', `${id}, for hosts that run the original client`],
    ['kind', kindOf(patch)],
    ...(command === undefined ? [] : ([['command', command]] satisfies [string, string][])),
    ...told(files).map(({ path, mode, size }): [string, string] =>
      mode === 0 ? ['removes', path] : ['file', `${path} (mode ${mode.toString(8).padStart(4, '0')}, ${size} bytes)`],
    ),
    ['by', by],
    ['why', why === '' ? '-' : why],
    ['made', showTime(submitted_at)],
  ]);
  printOutcomes(output, targets);
  if (targets.some(({ state }) => state === 'failed')) {
    output.note(
      `the original client runs it again until it succeeds: penguindome patch --remove commands/${command} takes it away`,
    );
  }
}

/** Signatures go without saying. */
function told(files: PatchRecord['files']): { path: string; mode: number; size: number }[] {
  const plain = files.filter(({ path }) => !path.startsWith('signatures/'));
  return plain.map(({ path, mode, content = '' }) => ({ path, mode, size: Buffer.from(content, 'base64').length }));
}

export function kindOf({ purpose }: PatchRecord): Extract<OrderKind, 'command' | 'patch'> {
  return purpose === 'command' || purpose === 'migration' ? 'command' : 'patch';
}

/** As `orders list` tells of it: what became of commands, hosts' own documents say, which `orders show` reads. */
export function summaryOf(patch: PatchRecord) {
  const { id, purpose, submitted_at: made_at, by = '-', why = '' } = patch;
  const { pending_hosts, completed_hosts, cancelled_hosts } = patch;
  const kind = kindOf(patch);
  const counts: Partial<Record<OrderState, number>> = {};
  if (pending_hosts.length > 0) counts.queued = pending_hosts.length;
  if (completed_hosts.length > 0) counts[kind === 'command' ? 'fetched' : 'done'] = completed_hosts.length;
  if (cancelled_hosts.length > 0) counts.cancelled = cancelled_hosts.length;
  const hosts = pending_hosts.length + completed_hosts.length + cancelled_hosts.length;
  return {
    id,
    protocol: 'v1',
    kind,
    purpose,
    made_at,
    by,
    why,
    hosts,
    counts,
    open: pending_hosts.length > 0,
  } as const;
}
