import { messageOf } from '../../core/errors.ts';
import type { Signer } from '../../crypto/order-signatures.ts';
import { digestOfText } from '../../wire/v2/digest.ts';
import { LARGEST_MANIFEST, type Manifest, type OrderDocument, readOrderDocument } from '../../wire/v2/order.ts';
import type { Places } from '../places.ts';
import { readInbox, removeFromInbox } from './inbox.ts';
import { type Bench, type Judgement, judge } from './judge.ts';
import { type Judged, keepOrder, readKept, writeDocument } from './order-folder.ts';
import type { Records } from './results.ts';
import { readReport } from './results.ts';
import { type Seen, writeSeen } from './seen.ts';

export interface Taking {
  places: Places;
  records: Records;
  seen: Seen;
  /** ids of orders that have a folder here */
  kept: ReadonlySet<string>;
  /** or why no order counts now */
  bench: () => Promise<Bench | { refuses: string }>;
  now: Date;
}

export type Taken =
  | { became: 'kept' | 'refused'; id: string; seen: Seen; reason?: string }
  /** left where it is, or gone without a word */
  | { became: 'left'; id: string; seen: Seen };

/** What becomes of the order with this id in the inbox. Refusals are recorded before it goes, acceptance before anything is done. */
export async function takeOrder(taking: Taking, id: string): Promise<Taken> {
  const { places, seen } = taking;
  const left = { became: 'left', id, seen } as const;
  let bytes: Buffer | undefined;
  try {
    bytes = readInbox(places, `${id}.json`, 2 * LARGEST_MANIFEST);
  } catch (error) {
    const digest = digestOfText(`what is no order at ${id}`);
    if (Object.hasOwn(seen.refused, digest)) return left;
    return refuse(taking, id, { reason: `what came is no order: ${messageOf(error)}`, digest });
  }
  if (bytes === undefined) return left;
  const text = bytes.toString('utf8');
  const digest = digestOfText(text);
  if (Object.hasOwn(seen.refused, digest)) {
    removeFromInbox(places, `${id}.json`);
    return left;
  }
  const read = readOrderDocument(bytes);
  if (!read.ok) return refuse(taking, id, { reason: lacksSignature(text) ?? read.reason, digest });
  if (taking.kept.has(id)) return takeAgain(taking, id, read.value, digest);
  if (Object.hasOwn(seen.ids, id)) return refuseAgain(taking, id, { reason: SEEN, digest });
  const bench = await taking.bench();
  if (!('policy' in bench)) return refuse(taking, id, { reason: bench.refuses, digest });
  const judgement = await judge(read.value, bench);
  if (judgement.verdict === 'refused') return refuse(taking, id, { ...judgement, digest });
  if (judgement.manifest.id !== id)
    return refuse(taking, id, { reason: 'it came under the id of another order', digest });
  return keep(taking, read.value, judgement, digest);
}

const SEEN = 'this host has seen it before';

async function keep(
  taking: Taking,
  document: OrderDocument,
  judgement: Exclude<Judgement, { verdict: 'refused' }>,
  digest: string,
): Promise<Taken> {
  const { places } = taking;
  const { manifest } = judgement;
  const { id } = manifest;
  const copied = await keepOrder(places, manifest, document, judgedOf(judgement));
  if (copied === 'missing') return { became: 'left', id, seen: taking.seen };
  if (copied === 'altered') {
    return refuse(taking, id, { reason: 'a file of it is not the one that was signed', digest, manifest });
  }
  // From here on the folder is the order. The submitter is told before the inbox is cleared, and that comes before the id is seen: so whatever lies
  // there under a seen id was put there again.
  await taking.records.hold(id);
  removeFromInbox(places, `${id}.json`);
  return { became: 'kept', id, seen: await markSeen(taking, manifest) };
}

export function judgedOf(judgement: Exclude<Judgement, { verdict: 'refused' }>): Judged {
  const { verdict, signers } = judgement;
  const signed = { signed_by: describeSigners(signers), recorded: false };
  if (verdict === 'accepted') return { state: 'accepted', ...signed };
  return { state: 'waiting', reason: judgement.reason, for: judgement.for, ...signed };
}

export function describeSigners(signers: readonly Signer[]): string {
  const names = signers.map(({ role, name }) => (role === 'server' ? 'the server' : `the operator ${name}`));
  return `signed by ${names.join(', ')}`;
}

/** Whatever was cut off behind `keepOrder`. */
export async function markSeen({ places, seen }: Pick<Taking, 'places' | 'seen'>, manifest: Manifest): Promise<Seen> {
  const next = { ...seen, ids: { ...seen.ids, [manifest.id]: { until: manifest.expires_at } } };
  await writeSeen(places, next);
  return next;
}

/** An order that is here already: with further signatures it may be one that waits for them; else it came again. */
async function takeAgain(taking: Taking, id: string, document: OrderDocument, digest: string): Promise<Taken> {
  const { places, seen } = taking;
  const left = { became: 'left', id, seen } as const;
  const kept = await readKept(places, id);
  const isSame = kept.document.manifest === document.manifest;
  if (isSame && !Object.hasOwn(seen.ids, id)) {
    removeFromInbox(places, `${id}.json`);
    return left;
  }
  if (!isSame || kept.judged.state !== 'waiting') return refuseAgain(taking, id, { reason: SEEN, digest });
  const bench = await taking.bench();
  if ('policy' in bench) {
    const judgement = await judge(document, bench);
    const before = await judge(kept.document, bench);
    if (judgement.verdict !== 'refused' && (isSigned(judgement) || signersOf(judgement) > signersOf(before))) {
      await writeDocument(places, id, document);
    }
    removeFromInbox(places, `${id}.json`);
  }
  return left;
}

function isSigned(judgement: Judgement): boolean {
  return judgement.verdict === 'accepted' || (judgement.verdict === 'waiting' && judgement.for === 'time');
}

function signersOf(judgement: Judgement): number {
  return judgement.verdict === 'refused' ? 0 : judgement.signers.length;
}

interface Refusing {
  reason: string;
  /** of the document */
  digest: string;
  /** where somebody trusted has signed it */
  manifest?: Manifest;
}

/** Once for each id: who sends the same one every minute fills no disk. */
async function refuseAgain(taking: Taking, id: string, refusing: Refusing): Promise<Taken> {
  const { places, seen } = taking;
  const entry = seen.ids[id];
  if (entry?.again !== true) {
    const refused = await refuse(taking, id, refusing);
    if (entry === undefined) return refused;
    const next = { ...refused.seen, ids: { ...refused.seen.ids, [id]: { ...entry, again: true as const } } };
    await writeSeen(places, next);
    return { ...refused, seen: next };
  }
  removeFromInbox(places, `${id}.json`);
  return { became: 'left', id, seen };
}

/** How many refusals of what nobody trusted has signed are recorded in a day. */
const MOST_RECORDED = 200;

async function refuse(taking: Taking, id: string, { reason, digest, manifest }: Refusing): Promise<Taken> {
  const { places, records, now } = taking;
  const { seen, counts } = countRefusal(taking.seen, now, manifest !== undefined);
  if (counts) {
    const { kind, by, why } = manifest ?? { kind: 'unknown', by: 'unknown', why: '' };
    const receipt = { order: id, kind, by, why, event: 'refused', detail: reason } as const;
    // What became of an order that was taken before stays as it was told.
    const isNew = !taking.kept.has(id) && (await readReport(places, id)) === undefined;
    await (isNew ? records.record(receipt, { state: 'refused', reason }) : records.receipt(receipt));
  }
  const until = manifest?.id === id ? { [id]: { until: manifest.expires_at } } : {};
  const next = { ...seen, ids: { ...seen.ids, ...until }, refused: { ...seen.refused, [digest]: now.toISOString() } };
  await writeSeen(places, next);
  removeFromInbox(places, `${id}.json`);
  return { became: 'refused', id, seen: next, reason };
}

function countRefusal(seen: Seen, now: Date, isSigned: boolean): { seen: Seen; counts: boolean } {
  if (isSigned) return { seen, counts: true };
  const date = now.toISOString().slice(0, 10);
  const count = seen.day.date === date ? seen.day.count : 0;
  if (count >= MOST_RECORDED) return { seen: { ...seen, unrecorded: seen.unrecorded + 1 }, counts: false };
  return { seen: { ...seen, day: { date, count: count + 1 } }, counts: true };
}

function lacksSignature(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('manifest' in value)) return undefined;
    const signatures = 'signatures' in value ? value.signatures : undefined;
    return signatures === undefined || (Array.isArray(signatures) && signatures.length === 0)
      ? 'it is not signed'
      : undefined;
  } catch {
    return undefined;
  }
}
