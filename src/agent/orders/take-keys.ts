import * as v from 'valibot';
import { describeKeys, fingerprintOf } from '../../crypto/openpgp.ts';
import { type OrderKey, type OrderTrust, takeOrderKey, takeRevocations } from '../../crypto/order-trust.ts';
import { type OrderKeyStatement, readOrderKeyStatement } from '../../wire/v2/order-key.ts';
import { readRevocations } from '../../wire/v2/revocations.ts';
import { noteTime } from './note-time.ts';
import type { ReadPolicy } from './read-policy.ts';
import { latestTime, type TrustState } from './trust-state.ts';

/** inbox/trust.json: what the submitter heard about keys. Each statement in it is checked by its signatures alone. */
const heard = v.object({
  first_order_key: v.optional(v.pipe(v.string(), v.maxLength(32 * 1024))),
  order_keys: v.optional(v.pipe(v.array(v.unknown()), v.maxLength(1_000)), []),
  revocations: v.optional(v.unknown()),
});

export interface TakenKeys {
  state: TrustState;
  /** why something of it was not taken */
  refused?: string;
}

/** What follows from the keys that count now. Nothing goes back, and what does not follow is refused and changes nothing. */
export async function takeKeys(
  state: TrustState,
  { policy, operators }: Extract<ReadPolicy, { ok: true }>,
  bytes: Buffer,
  now: Date,
): Promise<TakenKeys> {
  const parsed = v.safeParse(heard, parse(bytes));
  if (!parsed.success) return { state, refused: 'what came about keys cannot be read' };
  const { first_order_key, order_keys, revocations } = parsed.output;
  const statements: OrderKeyStatement[] = [];
  for (const one of order_keys) {
    const read = readOrderKeyStatement(encode(one));
    if (!read.ok) return { state, refused: read.reason };
    statements.push(read.value);
  }
  const order = state.order ?? (await firstKey(state.pinned, first_order_key, statements));
  if (order === undefined) return { state, refused: 'the order key that this host was enrolled with did not come' };
  const trust: OrderTrust = {
    order,
    authorization: policy.command_authorization,
    operators: operators.map(({ keys }) => keys),
    revocations: state.revocations,
  };
  const rotated = await rotate({ ...state, order }, trust, statements, now);
  if (revocations === undefined) return rotated;
  const revoked = await revoke(rotated.state, { ...trust, order: rotated.state.order ?? order }, revocations, now);
  return { state: revoked.state, ...firstRefusal(rotated, revoked) };
}

/** The key of the fingerprint that enrolment pinned, be it the server's first or one that took over before the enrolment. */
async function firstKey(
  pinned: string,
  first: string | undefined,
  statements: readonly OrderKeyStatement[],
): Promise<OrderKey | undefined> {
  const later = statements.find(({ statement }) => statement.new_fingerprint === pinned)?.statement;
  const candidate = later === undefined ? { number: 0, key: first } : { number: later.number, key: later.new_key };
  if (candidate.key === undefined) return undefined;
  const { key, number } = candidate;
  const fingerprint = await fingerprintOf(key).catch(() => undefined);
  if (fingerprint !== pinned || (await describeKeys(key))[0]?.kind !== 'public') return undefined;
  return { number, fingerprint, key };
}

async function rotate(
  before: TrustState,
  trust: OrderTrust,
  statements: readonly OrderKeyStatement[],
  now: Date,
): Promise<TakenKeys> {
  let state = before;
  for (const document of statements) {
    const { statement } = document;
    const last = state.order === null ? null : numbered(state.order, state.pinned, statements);
    if (last === null || statement.number < last.number) continue;
    const taken = await takeOrderKey({ ...trust, order: last }, document, latestTime(state, now));
    if (!taken.ok) return { state, refused: taken.reason };
    if (!taken.changed) continue;
    const former = [...state.former, { ...last, until: statement.made_at }].slice(-MOST_FORMER);
    state = { ...state, order: taken.trust.order, former, latest: noteTime(state, statement.made_at, now) };
  }
  return { state };
}

const MOST_FORMER = 20;

/**
 * The key that enrolment pinned, where it is not the server's first one, comes with a number that nobody vouches for: whoever lies about it must not
 * keep the keys that follow from this host. The statement that replaces the key is signed by the key itself, and says the number.
 */
function numbered(order: OrderKey, pinned: string, statements: readonly OrderKeyStatement[]): OrderKey {
  if (order.fingerprint !== pinned) return order;
  const own = statements.find(({ statement }) => statement.new_fingerprint === pinned)?.statement;
  if (own === undefined && order.number === 0) return order;
  const next = statements.find(({ statement }) => statement.old_fingerprint === pinned)?.statement;
  return { ...order, number: next === undefined ? (own?.number ?? order.number) : next.number - 1 };
}

async function revoke(state: TrustState, trust: OrderTrust, document: unknown, now: Date): Promise<TakenKeys> {
  const read = readRevocations(encode(document));
  if (!read.ok) return { state, refused: read.reason };
  const taken = await takeRevocations(trust, read.value, latestTime(state, now));
  if (!taken.ok) return { state, refused: taken.reason };
  if (!taken.changed) return { state };
  const latest = noteTime(state, read.value.statement.made_at, now);
  return { state: { ...state, revocations: taken.trust.revocations, latest } };
}

function firstRefusal(...taken: readonly TakenKeys[]): { refused?: string } {
  const refused = taken.find((one) => one.refused !== undefined)?.refused;
  return refused === undefined ? {} : { refused };
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value) ?? '');
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
