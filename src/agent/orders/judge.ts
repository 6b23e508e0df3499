import { ORDER_KINDS, type OrderKind } from '../../core/order.ts';
import { type CheckedSignatures, checkSignatures, type Keyring, type Signer } from '../../crypto/order-signatures.ts';
import type { TrustPolicy } from '../../settings/trust-policy.ts';
import { type Manifest, ORDER_TYPE, type OrderDocument, readManifest } from '../../wire/v2/order.ts';
import { MOST_AHEAD } from './note-time.ts';
import { latestTime, type TrustState } from './trust-state.ts';

/** What an order is judged by. */
export interface Bench {
  policy: TrustPolicy;
  ring: Keyring;
  trust: TrustState;
  /** number of the release that is installed; 0: none */
  release: number;
  own: { host_id: string; hostname: string };
  now: Date;
}

export type Judgement =
  | { verdict: 'accepted'; manifest: Manifest; signers: Signer[] }
  /** counts later: when its time has come, or further signatures */
  | { verdict: 'waiting'; manifest: Manifest; signers: Signer[]; reason: string; for: 'time' | 'signatures' }
  /** `manifest` where somebody whom this host trusts has signed it */
  | { verdict: 'refused'; reason: string; manifest?: Manifest };

/** Whether an order counts here and now. Looks at nothing but its arguments; whether it was seen before, the caller knows. */
export async function judge(document: OrderDocument, bench: Bench): Promise<Judgement> {
  const { trust, ring, policy } = bench;
  const now = latestTime(trust, bench.now);
  const checked = await checkSignatures(document, ring, trust.revocations, now);
  if (checked.signers.length === 0) return { verdict: 'refused', reason: unsigned(checked) };
  const read = readManifest(document.manifest);
  if (!read.ok) return { verdict: 'refused', reason: unknownKind(document.manifest) ?? read.reason };
  const manifest = read.value;
  const signers = checked.signers.filter(({ until }) => until === undefined || manifest.made_at <= until);
  if (signers.length === 0) {
    return { verdict: 'refused', reason: 'it was signed by an order key that had been replaced before it was made' };
  }
  const refused = unauthorized(policy, signers, checked) ?? unfit(manifest, bench, now);
  if (refused !== undefined) return { verdict: 'refused', reason: refused, manifest };
  const lacking = lackingSignatures(policy, manifest.kind, signers);
  if (lacking !== undefined) return { verdict: 'waiting', manifest, signers, reason: lacking, for: 'signatures' };
  const early = tooEarly(manifest, now);
  if (early !== undefined) return { verdict: 'waiting', manifest, signers, reason: early, for: 'time' };
  return { verdict: 'accepted', manifest, signers };
}

function unsigned({ faults }: CheckedSignatures): string {
  return `no signature of it counts: ${[...new Set(faults)].slice(0, 3).join('; ')}`;
}

/** A newer server's orders: somebody trusted has signed them, but this agent cannot know what they mean. */
function unknownKind(text: string): string | undefined {
  const { type, kind } = peek(text);
  if (type !== ORDER_TYPE) return 'it is no order, or of a type that this version of penguindome-agent does not know';
  if (ORDER_KINDS.some((known) => known === kind)) return undefined;
  return 'it is of a kind that this version of penguindome-agent does not know';
}

function unauthorized(
  { command_authorization }: TrustPolicy,
  signers: readonly Signer[],
  { faults }: CheckedSignatures,
): string | undefined {
  if (command_authorization !== 'operator' || signers.some(({ role }) => role === 'operator')) return undefined;
  const others = faults.length === 0 ? '' : `; another signature does not count: ${faults[0]}`;
  return `the server alone has signed it, and this host demands an operator's own signature${others}`;
}

/** What no later time and no further signature would change. */
function unfit(manifest: Manifest, { own, policy, trust, release }: Bench, now: Date): string | undefined {
  if (Date.parse(manifest.expires_at) <= now.getTime()) {
    return `it expired at ${manifest.expires_at}, and it is ${now.toISOString()} here`;
  }
  if (manifest.targets !== 'all') {
    const target = manifest.targets.find(({ host_id }) => host_id === own.host_id);
    if (target === undefined) return 'it is for another host';
    if (target.hostname.toLowerCase() !== own.hostname.toLowerCase()) {
      return `it is for this host's id under the name ${target.hostname}, but this host is ${own.hostname}`;
    }
  }
  switch (manifest.kind) {
    case 'wipe':
      return policy.wipe[manifest.method] ? undefined : `trust.d switches the method ${manifest.method} off here`;
    case 'release':
      return staleRelease(manifest.number, trust.release, release);
    case 'command':
    case 'patch':
    case 'settings':
    case 'unlock':
      return undefined;
    default:
      manifest satisfies never;
      return 'it is of a kind that is not known';
  }
}

/** Also where the higher one was never installed: a release that was taken back must not come again under an old signature. */
function staleRelease(number: number, accepted: number, installed: number): string | undefined {
  if (number === installed) return `release ${number} is installed already`;
  const highest = Math.max(accepted, installed);
  return number < highest ? `it is release ${number}, and this host has had ${highest}` : undefined;
}

/** Of kinds that need two: without the word of an operator the server's counts for one. */
function lackingSignatures(policy: TrustPolicy, kind: OrderKind, signers: readonly Signer[]): string | undefined {
  if (!policy.second_approval.includes(kind)) return undefined;
  const counting = signers.filter(({ role }) => role === 'operator' || policy.command_authorization === 'server');
  if (counting.length >= 2) return undefined;
  const who = counting.map(({ role, name }) => (role === 'server' ? 'the server' : `the operator ${name}`)).join(', ');
  const needed = policy.command_authorization === 'server' ? "an operator's" : "another operator's";
  return `it waits for ${needed} signature: ${who} alone has signed it`;
}

function tooEarly({ made_at, not_before }: Manifest, now: Date): string | undefined {
  if (not_before !== undefined && Date.parse(not_before) > now.getTime()) return `it counts from ${not_before} on`;
  if (Date.parse(made_at) > now.getTime() + MOST_AHEAD) {
    return `it was made at ${made_at}, which has not come yet by this host's clock`;
  }
  return undefined;
}

function peek(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    return {};
  }
}
