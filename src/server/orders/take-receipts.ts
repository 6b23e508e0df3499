import { Refusal } from '../../core/errors.ts';
import type { Log } from '../../core/events.ts';
import type { Host, Identity } from '../../core/host.ts';
import type { ReceiptsHead } from '../../core/order.ts';
import type { Clock } from '../../core/world.ts';
import type { Store } from '../../store/port.ts';
import type { ResultsRequest } from '../../wire/v2/order-messages.ts';
import { NO_RECEIPTS } from '../../wire/v2/receipt.ts';
import { judgeReceipts } from './judge-receipts.ts';

export interface ReceiptDeps {
  store: Pick<Store, 'orders' | 'issues'>;
  clock: Clock;
  log: Log;
}

export const RECEIPTS_ISSUE = 'receipts-broken';

/** Guards fail only where the same host speaks twice at once. */
const ATTEMPTS = 5;

/** Moves the head of the host's chain on. One that does not fit is noted, and followed from where it goes on. @returns the number of the head */
export async function takeReceipts(
  deps: ReceiptDeps,
  { hostname, identity: { host_id } }: Host & { identity: Identity },
  request: Pick<ResultsRequest, 'receipts' | 'known' | 'end'>,
): Promise<number> {
  const { orders } = deps.store;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await orders.receipts(host_id);
    const { broken_at, ...head } = stored ?? NO_RECEIPTS_YET;
    const judged = judgeReceipts(head, request);
    if (judged.as === 'server-went-back') return head.number;
    if (judged.as === 'broken') {
      await orders.breakReceipts(host_id, deps.clock.now());
      await openIssue(deps, hostname, judged.why);
    } else if (broken_at !== undefined && request.receipts.length > 0) {
      await forgetBreak(deps, hostname, () => orders.breakReceipts(host_id, null));
    }
    const next = judged.head ?? head;
    if (isSame(next, head)) return head.number;
    const from = stored === undefined && judged.as === 'fits' ? null : head;
    if (await orders.moveReceipts(host_id, from, next)) return next.number;
  }
  throw new Refusal('unavailable', 'cannot take the receipts now: the same host sends others; come again');
}

const NO_RECEIPTS_YET: ReceiptsHead & { broken_at?: Date } = NO_RECEIPTS;

const isSame = (one: ReceiptsHead, other: ReceiptsHead) => one.number === other.number && one.hash === other.hash;

async function openIssue({ store, clock, log }: ReceiptDeps, hostname: string, reason: string): Promise<void> {
  log.event('receipts.broken', { host: hostname, reason });
  if (await store.issues.open(hostname, RECEIPTS_ISSUE, clock.now())) {
    log.event('issue.opened', { host: hostname, issue: RECEIPTS_ISSUE });
  }
}

/** An operator who has looked closes the issue; the note goes when the chain goes on after that. */
async function forgetBreak({ store }: ReceiptDeps, hostname: string, forget: () => Promise<void>): Promise<void> {
  for await (const _ of store.issues.listOpen({ hostnames: [hostname], names: [RECEIPTS_ISSUE] })) return;
  await forget();
}
