/** How orders, their files and what became of them travel between agent and server (docs/protocol.md, "Orders"). */
import * as v from 'valibot';
import { isHostname } from '../../core/host.ts';
import { REPORTED_STATES } from '../../core/order.ts';
import { orderDocument } from './order.ts';
import { exactTime } from './signed-statement.ts';

/** Of content, in one answer of `files`: bytes. */
export const LARGEST_PIECE = 1024 * 1024;
/** What an answer of `update` may hold, at most: one order of the largest kind, or the list of revocations. Bytes of JSON. */
export const LARGEST_UPDATE_ANSWER = 10 * 1024 * 1024;
/** the same of `files`; all other answers stay under 1 MB */
export const LARGEST_FILES_ANSWER = 2 * 1024 * 1024;
/** of what a command wrote, each of its two outputs: bytes */
export const LARGEST_OUTPUT = 256 * 1024;
/** of a report: how many steps, and characters */
export const MOST_STEPS = 500;
export const LONGEST_STEP = 1_000;
export const LONGEST_REASON = 2_000;
export const MOST_RECEIPTS_AT_ONCE = 200;
export const MOST_REPORTS_AT_ONCE = 50;
export const MOST_HELD = 1_000;

const uuid = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'expected a lower-case UUID'),
);
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected a lower-case hex SHA-256'));
const hostname = v.pipe(v.string(), v.check(isHostname, 'expected a host name'));
const version = v.pipe(v.string(), v.maxLength(64));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const time = v.pipe(v.string(), v.isoTimestamp('expected an ISO 8601 time'));

/** POST /penguindome/v2/update */
export const updateRequest = v.object({
  hostname,
  /** number of the release installed; 0: none */
  release: count,
  /** ids of orders that this host has and the server need not send */
  held: v.optional(v.pipe(v.array(uuid), v.maxLength(MOST_HELD)), []),
  /** numbers of the order key and of the list of revocations that this host knows; 0: the first, none */
  order_key: v.optional(count, 0),
  revocations: v.optional(count, 0),
  agent: v.optional(version),
});
export type UpdateRequest = v.InferOutput<typeof updateRequest>;

export const updateAnswer = v.object({
  /** `current`: nothing is to be done */
  status: v.picklist(['current', 'orders']),
  /** oldest first; as many as fit (the rest at the next request: `more`) */
  orders: v.optional(v.array(orderDocument)),
  more: v.optional(v.literal(true)),
  /** the server's first order key (armored, public), which the pinned fingerprint names: when `order_key` is 0 */
  first_order_key: v.optional(text(32 * 1024)),
  /** documents of order-key.ts with numbers above `order_key`, in order */
  order_keys: v.optional(v.array(v.unknown())),
  /** document of revocations.ts, where its number is above `revocations` */
  revocations: v.optional(v.unknown()),
  epoch: uuid,
  time,
});
export type UpdateAnswer = v.InferOutput<typeof updateAnswer>;

/** POST /penguindome/v2/files: a piece of a file of an order that is for this host. */
export const filesRequest = v.object({ order: uuid, sha256, offset: count });
export type FilesRequest = v.InferOutput<typeof filesRequest>;

export const filesAnswer = v.object({
  sha256,
  /** of the whole file */
  size: count,
  offset: count,
  /** base64, LARGEST_PIECE at most */
  content: v.string(),
  epoch: uuid,
  time,
});
export type FilesAnswer = v.InferOutput<typeof filesAnswer>;

const captured = v.object({
  text: v.optional(text(LARGEST_OUTPUT)),
  base64: v.optional(text(Math.ceil(LARGEST_OUTPUT / 3) * 4)),
  bytes: count,
  truncated: v.boolean(),
});

export const reportMessage = v.object({
  order: uuid,
  number: v.pipe(count, v.minValue(1)),
  state: v.picklist(REPORTED_STATES),
  at: exactTime,
  reason: v.optional(text(LONGEST_REASON)),
  exit_status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))),
  signal: v.optional(text(20)),
  duration_ms: v.optional(count),
  stdout: v.optional(captured),
  stderr: v.optional(captured),
  steps: v.optional(v.pipe(v.array(text(LONGEST_STEP)), v.maxLength(MOST_STEPS))),
});
export type ReportMessage = v.InferOutput<typeof reportMessage>;

export const receiptMessage = v.strictObject({
  number: v.pipe(count, v.minValue(1)),
  previous: sha256,
  at: exactTime,
  order: text(64),
  kind: text(32),
  event: v.picklist(['accepted', 'refused', 'waiting', 'started', 'done', 'failed']),
  by: text(200),
  why: text(1_000),
  detail: text(1_000),
  hash: sha256,
});
export type ReceiptMessage = v.InferOutput<typeof receiptMessage>;

const chainEnd = v.object({ number: count, hash: sha256 });

/** POST /penguindome/v2/results: what became of orders. Also a lost host's. */
export const resultsRequest = v.object({
  hostname,
  reports: v.pipe(v.array(reportMessage), v.maxLength(MOST_REPORTS_AT_ONCE)),
  /** that follow the last one which the server is known to have, in order */
  receipts: v.optional(v.pipe(v.array(receiptMessage), v.maxLength(MOST_RECEIPTS_AT_ONCE)), []),
  /** number of the last receipt which the server has said that it has; 0: none yet. A server that was restored may have fewer */
  known: v.optional(count, 0),
  /** the last receipt of all that the host has, sent or not; 0 and 64 zeros: none */
  end: v.optional(chainEnd),
  agent: v.optional(version),
});
export type ResultsRequest = v.InferOutput<typeof resultsRequest>;

export const resultsAnswer = v.object({
  status: v.literal('ok'),
  /** what the server has on disk now */
  taken: v.array(v.object({ order: uuid, number: count })),
  /** number of the last receipt that it has; the agent goes on behind it */
  receipts: count,
  epoch: uuid,
  time,
});
export type ResultsAnswer = v.InferOutput<typeof resultsAnswer>;
