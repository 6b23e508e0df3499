/**
 * Orders: what makes agents act. Terms:
 * - *manifest*: the signed text of an order (wire/v2/order.ts); files go beside it, named by digest;
 * - *target*: a host that the order is for, by host id and host name;
 * - *report*: what a host says became of an order, numbered by the host so that a late one changes nothing;
 * - *receipt*: a host's own record of what was done with an order; each names the hash of the one before it.
 */
import type { HostId } from './host.ts';

export const ORDER_KINDS = ['command', 'patch', 'release', 'settings', 'wipe', 'unlock'] as const;
export type OrderKind = (typeof ORDER_KINDS)[number];

export const WIPE_METHODS = ['crypto-erase', 'homes', 'lock'] as const;
export type WipeMethod = (typeof WIPE_METHODS)[number];

/**
 * Of an order on one host. `queued`: not fetched yet. `waiting`: on the host, for its time or a further signature. `about-to`: what cannot be undone comes next.
 * Settled are `done`, `failed`, `refused`; the server itself says `cancelled` and `expired` of what was not settled.
 */
export const ORDER_STATES = [
  'queued',
  'fetched',
  'waiting',
  'running',
  'about-to',
  'done',
  'failed',
  'refused',
  'cancelled',
  'expired',
] as const;
export type OrderState = (typeof ORDER_STATES)[number];

/** What hosts may report. */
export const REPORTED_STATES = [
  'waiting',
  'running',
  'about-to',
  'done',
  'failed',
  'refused',
] as const satisfies readonly OrderState[];
export type ReportedState = (typeof REPORTED_STATES)[number];

export function isSettled(state: OrderState): boolean {
  return !['queued', 'fetched', 'waiting', 'running', 'about-to'].includes(state);
}

/** Those in which a host may still do something about an order. */
export const UNSETTLED: readonly OrderState[] = ORDER_STATES.filter((state) => !isSettled(state));

/** An order as it is stored. */
export interface Order {
  /** UUIDv7 */
  id: string;
  kind: OrderKind;
  /** the signed text, byte for byte */
  manifest: string;
  /** armored, detached; more than one where a host demands further approvals */
  signatures: string[];
  made_at: Date;
  not_before?: Date;
  expires_at: Date;
  by: string;
  why: string;
  /** of its files */
  files: { sha256: string; size: number }[];
  /** how many hosts it names; null: every host */
  hosts: number | null;
  /** of releases */
  release?: number;
  cancelled_at?: Date;
}

export interface OrderTarget {
  order: string;
  host_id: HostId;
  hostname: string;
  state: OrderState;
  /** when the state became this one */
  at: Date;
  /** the newest that the host sent; absent before the first */
  report?: OrderReport;
}

/** What a command wrote: text as UTF-8 where it is that, else base64. */
export interface Captured {
  text?: string;
  base64?: string;
  /** bytes written in all; more than there are here where it was cut */
  bytes: number;
  truncated: boolean;
}

export interface OrderReport {
  order: string;
  /** rises with each report of the host about this order */
  number: number;
  state: ReportedState;
  at: Date;
  /** of `refused`, `failed`, `waiting` */
  reason?: string;
  exit_status?: number;
  signal?: string;
  duration_ms?: number;
  stdout?: Captured;
  stderr?: Captured;
  /** what a wipe did and will do, which files a patch changed: sentences */
  steps?: string[];
}

/** The end of a host's chain of receipts. */
export interface ReceiptsHead {
  number: number;
  /** lower-case hex SHA-256 of the receipt's canonical JSON without `hash` */
  hash: string;
}

export interface Receipt {
  /** from 1, without a gap */
  number: number;
  /** hash of the one before it; 64 zeros in the first */
  previous: string;
  /** ISO 8601 UTC with milliseconds */
  at: string;
  order: string;
  kind: string;
  event: 'accepted' | 'refused' | 'waiting' | 'started' | 'done' | 'failed';
  by: string;
  why: string;
  /** result, or the reason of a refusal; one line */
  detail: string;
  hash: string;
}
