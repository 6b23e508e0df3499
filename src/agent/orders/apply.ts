import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { isSettled } from '../../core/order.ts';
import { openKeyring } from '../../crypto/order-signatures.ts';
import { readManifest } from '../../wire/v2/order.ts';
import { OPENPGP_FINGERPRINT } from '../../wire/v2/signed-statement.ts';
import { withLock } from '../lock.ts';
import { makeOrders } from '../places.ts';
import { TEMPORARY } from '../write-atomically.ts';
import type { Accepted } from './accepted.ts';
import type { Acting } from './carry-out.ts';
import { heardOfKeys } from './hear-keys.ts';
import { listInbox } from './inbox.ts';
import { type Bench, judge } from './judge.ts';
import { readKnown } from './known.ts';
import { noteTime } from './note-time.ts';
import { folderOf, listFolders, readKept, writeJudged } from './order-folder.ts';
import { isTrustNewer } from './orders-status.ts';
import { type ReadPolicy, readPolicy } from './read-policy.ts';
import { openResults, type Records, readReport } from './results.ts';
import { readSeen, type Seen } from './seen.ts';
import { howOrdersRun } from './start-order.ts';
import { needOwnState } from './state-owner.ts';
import { judgedOf, markSeen, takeOrder } from './take-order.ts';
import { tidyOrders } from './tidy-orders.ts';
import { latestTime, signedTime, type TrustState, vouchedNumber, writeTrustState } from './trust-state.ts';

export interface Applying extends Omit<Acting, 'results'> {
  /** who this host is: by its enrolment, and by its name now */
  own: { host_id: string; hostname: string; order_key: string };
  /** acts on an order that counts; called at each run until the order is settled */
  carryOut(accepted: Accepted, acting: Acting): Promise<void>;
}

export interface Applied {
  /** orders that counted for the first time in this run */
  accepted: string[];
  waiting: { order: string; reason: string }[];
  refused: { order: string; reason: string }[];
  /** orders that somebody tried to carry out, and what went wrong there */
  broken: { order: string; reason: string }[];
  /** why no order counts now */
  problem: string | null;
}

/**
 * Takes orders out of the inbox, judges them by trust.d, records what becomes of them, and has those that count carried out, the ones of
 * earlier runs that are not settled included. Cut off anywhere, the next run goes on there.
 */
export async function apply(applying: Applying): Promise<Applied> {
  const { places, clock, uid } = applying;
  await needOwnState(places, uid);
  await makeOrders(places);
  return withLock(places.orders.lock, 'apply orders', async () => {
    for (const name of readdirSync(places.orders.root)) {
      if (name.startsWith(TEMPORARY)) rmSync(join(places.orders.root, name), { recursive: true, force: true });
    }
    const records = openResults(places, clock);
    try {
      return await applyLocked(applying, records);
    } catch (error) {
      await records.know({ problem: untrusting(messageOf(error)) });
      throw error;
    }
  });
}

async function applyLocked(applying: Applying, records: Records): Promise<Applied> {
  const { places, own, uid, clock } = applying;
  const now = clock.now();
  const applied: Applied = { accepted: [], waiting: [], refused: [], broken: [], problem: null };
  let seen = await readSeen(places);
  const policy = await readPolicy(places, uid);
  const heard = await heardOfKeys(places, pinnedBy(own.order_key), policy, now);
  const trust: Trusting = { state: heard.state };
  // OpenPGP takes a while to load: only where something is to be judged.
  let opened: Promise<OpenedBench> | undefined;
  const openOnce = async () => {
    opened ??= openBench(applying, policy, trust.state, now);
    const bench = await opened;
    if (!('policy' in bench)) applied.problem = bench.refuses;
    return bench;
  };
  const kept = new Set(await listFolders(places));
  if (!policy.ok) applied.problem = untrusting(policy.reason);
  const isReady = !policy.ok || trust.state.order !== null;
  for (const id of listInbox(places).ids) {
    if (!isReady) {
      applied.problem = "the server's order key has not come yet";
      break;
    }
    try {
      const taken = await takeOrder({ places, records, seen, kept, bench: openOnce, now }, id);
      seen = taken.seen;
      if (taken.became === 'kept') kept.add(id);
      if (taken.became === 'refused') applied.refused.push({ order: id, reason: taken.reason ?? '' });
    } catch (error) {
      // One for which there is no room, say, keeps no other one from its end.
      applied.broken.push({ order: id, reason: messageOf(error) });
    }
  }
  for (const id of [...kept].sort()) {
    seen = await goOn(applying, { id, seen, trust, bench: openOnce, applied, records, now });
  }
  const times = { now, latest: latestTime(trust.state, now), signed: signedTime(trust.state) };
  const { open, held } = await tidyOrders(places, seen, times);
  const { order, revocations } = trust.state;
  const { applied_at } = await readKnown(places);
  await records.know({
    open,
    held,
    order_key: vouchedNumber(trust.state),
    has_order_key: order !== null,
    revocations: revocations?.number ?? 0,
    problem: applied.problem,
    runs_by: howOrdersRun(applying.uid),
    refused_keys: heard.refused,
    ...(heard.taken === undefined ? {} : { heard_keys: heard.taken }),
    // Where nothing else is new either, known.json stays as it is, and nobody looks for news in it.
    applied_at: (await isTrustNewer(places, applied_at)) ? now.toISOString() : applied_at,
  });
  return applied;
}

/** Changes while orders are accepted. */
interface Trusting {
  state: TrustState;
}

/** What enrolment writes; without it nothing is trusted. */
function pinnedBy(order_key: string): string {
  if (OPENPGP_FINGERPRINT.test(order_key)) return order_key;
  throw new Error('trust.d/server.json names no order key; enrol again');
}

export type OpenedBench = Bench | { refuses: string };

async function openBench(
  { places, own }: Applying,
  policy: ReadPolicy,
  trust: TrustState,
  now: Date,
): Promise<OpenedBench> {
  if (!policy.ok) return { refuses: untrusting(policy.reason) };
  try {
    const ring = await openKeyring(trust, policy.operators);
    return { policy: policy.policy, ring, trust, own, now, release: (await readKnown(places)).release };
  } catch (error) {
    return { refuses: untrusting(messageOf(error)) };
  }
}

function untrusting(reason: string): string {
  return `this host takes no orders: ${reason}`;
}

interface GoingOn {
  id: string;
  seen: Seen;
  trust: Trusting;
  bench: () => Promise<OpenedBench>;
  applied: Applied;
  records: Records;
  now: Date;
}

/** An order that has a folder: judged again while it waits, recorded, and carried out once it counts and until it is settled. */
async function goOn(acting: Applying, { id, seen, trust, bench, applied, records, now }: GoingOn): Promise<Seen> {
  const { places } = acting;
  const report = await readReport(places, id);
  if (report !== undefined && isSettled(report.state)) return seen;
  try {
    const kept = await readKept(places, id);
    const read = readManifest(kept.document.manifest);
    if (!read.ok) throw new Error(read.reason);
    const manifest = read.value;
    if (!Object.hasOwn(seen.ids, id)) seen = await markSeen({ places, seen }, manifest);
    let { judged } = kept;
    const common = { order: id, kind: manifest.kind, by: manifest.by, why: manifest.why };
    // Also one that was accepted in this run, or whose acceptance was cut off: what was accepted before it may be a higher release.
    const judging = judged.state === 'waiting' || !judged.recorded ? await bench() : undefined;
    if (judging !== undefined && !('policy' in judging)) {
      applied.waiting.push({ order: id, reason: judging.refuses });
      return seen;
    }
    if (judging !== undefined) {
      const judgement = await judge(kept.document, { ...judging, trust: trust.state });
      if (judgement.verdict === 'refused') {
        const { reason } = judgement;
        await records.record({ ...common, event: 'refused', detail: reason }, { state: 'refused', reason });
        applied.refused.push({ order: id, reason });
        return seen;
      }
      const next = judgedOf(judgement);
      const isSame = next.state === judged.state && next.reason === judged.reason;
      judged = isSame ? { ...next, recorded: judged.recorded } : next;
    }
    if (judged.state === 'waiting') {
      const reason = judged.reason ?? '';
      applied.waiting.push({ order: id, reason });
      if (judged.recorded) return seen;
      await records.record({ ...common, event: 'waiting', detail: reason }, { state: 'waiting', reason });
      await writeJudged(places, id, { ...judged, recorded: true });
      return seen;
    }
    if (!judged.recorded) {
      const release =
        manifest.kind === 'release' ? Math.max(trust.state.release, manifest.number) : trust.state.release;
      trust.state = { ...trust.state, release, latest: noteTime(trust.state, manifest.made_at, now) };
      await writeTrustState(places, trust.state);
      await records.receipt({ ...common, event: 'accepted', detail: judged.signed_by });
      await writeJudged(places, id, { ...judged, recorded: true });
      applied.accepted.push(id);
    }
    await acting.carryOut({ manifest, folder: folderOf(places, id) }, { ...acting, results: records });
  } catch (error) {
    applied.broken.push({ order: id, reason: messageOf(error) });
  }
  return seen;
}
