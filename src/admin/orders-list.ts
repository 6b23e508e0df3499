import { Command, Option } from 'commander';
import { ORDER_KINDS, ORDER_STATES, type Order, type OrderKind, type OrderState, UNSETTLED } from '../core/order.ts';
import type { Store } from '../store/port.ts';
import type { AdminContext } from './context.ts';
import { readCount } from './read-count.ts';
import { showTime } from './show-time.ts';
import { summaryOf } from './v1/show-patch.ts';

interface ListOptions {
  kind?: OrderKind[];
  open?: true;
  limit: number;
}

type Listed = Order & { counts: Partial<Record<OrderState, number>> };

export function ordersList(context: AdminContext): Command {
  return new Command('list')
    .description('what was ordered, newest first: by whom, why, and how many hosts have done it')
    .addOption(new Option('--kind <kind...>', 'only of these kinds').choices([...ORDER_KINDS]))
    .option('--open', 'only those that a host has yet to fetch or to do')
    .option('--limit <n>', 'how many at most', readCount, 50)
    .addHelpText('after', EXAMPLES)
    .action((options: ListOptions) => list(context, options));
}

const EXAMPLES = `
Examples:
  penguindome orders list
  penguindome orders list --kind command wipe --open
  penguindome orders list --json | jq -r '.[] | select(.counts.failed > 0) | .id'`;

async function list({ output, store, clock }: AdminContext, options: ListOptions): Promise<void> {
  const opened = await store();
  const rows = [...(await readOrders(opened, options, clock.now())), ...(await readPatches(opened, options))];
  rows.sort((one, other) => other.made_at.getTime() - one.made_at.getTime());
  rows.splice(options.limit);
  if (output.wantsJson) return output.json(rows.map(({ json }) => json));
  if (rows.length === 0) return output.note('there is no such order');
  output.table(
    ['ORDER', 'KIND', 'MADE', 'BY', 'HOSTS', 'STATE', 'WHY'],
    rows.map(({ id, kind, made_at, by, hosts, state, why }) => [
      id,
      kind,
      showTime(made_at),
      by,
      hosts === null ? 'all' : String(hosts),
      state,
      why === '' ? '-' : why,
    ]),
  );
}

interface Row extends Pick<Order, 'id' | 'made_at' | 'by' | 'why' | 'hosts'> {
  kind: string;
  state: string;
  json: object;
}

async function readOrders({ orders }: Store, { kind, open, limit }: ListOptions, now: Date): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const stored of orders.list(kind === undefined ? {} : { kinds: kind })) {
    const order = { ...stored, counts: countsAt(stored, now) };
    if (open === true && !isOpen(order, now)) continue;
    const shown = order.release === undefined ? order.kind : `${order.kind} ${order.release}`;
    rows.push({ ...order, kind: shown, state: stateOf(order, now), json: rowJson(order, now) });
    if (rows.length >= limit) break;
  }
  return rows;
}

/** Those for hosts that run the original client. */
async function readPatches({ patches }: Store, { kind, open, limit }: ListOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const patch of patches.list()) {
    const json = summaryOf(patch);
    if ((kind !== undefined && !kind.includes(json.kind)) || (open === true && !json.open)) continue;
    rows.push({ ...json, kind: `${json.kind} (v1)`, state: showCounts(json.counts).join(', '), json });
    if (rows.length >= limit) break;
  }
  return rows;
}

/** Without the manifest, which `orders show` has, and without signatures: how many is enough. */
function rowJson({ manifest: _manifest, signatures, files, counts, ...order }: Listed, now: Date): object {
  return {
    ...order,
    signatures: signatures.length,
    files: files.length,
    counts,
    open: isOpen({ ...order, counts }, now),
  };
}

type Judged = Pick<Listed, 'counts' | 'cancelled_at' | 'expires_at' | 'hosts'>;

/** Whether anything of it is still to come. Of a release for all hosts: as long as hosts may fetch it. */
export function isOpen({ counts, cancelled_at, expires_at, hosts }: Judged, now: Date): boolean {
  const under = UNSETTLED.some((state) => (counts[state] ?? 0) > 0);
  const fetchable = cancelled_at === undefined && expires_at > now;
  return hosts === null ? fetchable : under && (fetchable || (counts.queued ?? 0) < unsettled(counts));
}

function unsettled(counts: Listed['counts']): number {
  return UNSETTLED.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
}

function stateOf({ counts, cancelled_at, expires_at }: Listed, now: Date): string {
  const parts = showCounts(counts);
  if (cancelled_at !== undefined && counts.cancelled === undefined) parts.push('(cancelled)');
  else if (expires_at <= now && counts.expired === undefined) parts.push('(expired)');
  return parts.join(', ') || '-';
}

/** As orders show has it: what nobody fetched in time has expired. */
function countsAt({ counts: { queued, ...counts }, expires_at }: Listed, now: Date): Listed['counts'] {
  if (queued === undefined || expires_at > now) return { ...counts, ...(queued === undefined ? {} : { queued }) };
  return { ...counts, expired: queued + (counts.expired ?? 0) };
}

function showCounts(counts: Listed['counts']): string[] {
  return ORDER_STATES.flatMap((state) => (counts[state] === undefined ? [] : [`${counts[state]} ${state}`]));
}
