/**
 * Orders on the wire (docs/protocol.md, "Orders"): a manifest, signed with OpenPGP by detached signatures over its exact UTF-8 bytes, which are
 * the canonical JSON (RFC 8785) of what it says, so that there is one text for one order.
 */
import * as v from 'valibot';
import { isHostname } from '../../core/host.ts';
import { WIPE_METHODS } from '../../core/order.ts';
import { canonicalJson } from './digest.ts';
import { armoredSignature, exactTime, type Read, readDocument } from './signed-statement.ts';

export const ORDER_TYPE = 'penguindome-order-1';
export const MOST_TARGETS = 10_000;
export const MOST_FILES_OF_ORDER = 2_000;
export const LARGEST_FILE = 32 * 1024 * 1024;
/** of all files of an order */
export const LARGEST_ORDER_CONTENT = 64 * 1024 * 1024;
export const LARGEST_MANIFEST = 4 * 1024 * 1024;
export const MOST_SIGNATURES = 8;
/** days between made_at and expires_at, at most */
export const LONGEST_ORDER_DAYS = 90;

const UUIDV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const orderId = v.pipe(v.string(), v.regex(UUIDV7, 'expected a UUIDv7'));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected a lower-case hex SHA-256'));
const line = (most: number) =>
  v.pipe(v.string(), v.maxLength(most), v.regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/, 'expected one line'));

/** Below site/: one of its folders, and a name that is none of `.`, `..`, hidden or odd. What it may be is checked again where it is written. */
export const ORDER_PATH = /^(?:plugins|settings|commands)\/[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const path = v.pipe(v.string(), v.regex(ORDER_PATH, 'expected plugins/NAME, settings/NAME or commands/NAME'));

const file = v.strictObject({
  path,
  /** permission bits */
  mode: v.pipe(v.number(), v.integer(), v.minValue(0o400), v.maxValue(0o755)),
  sha256,
  size: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LARGEST_FILE)),
});
export type ManifestFile = v.InferOutput<typeof file>;

const target = v.strictObject({
  host_id: v.pipe(v.string(), v.regex(UUID, 'expected a lower-case UUID')),
  hostname: v.pipe(v.string(), v.check(isHostname, 'expected a host name')),
});

const named = v.pipe(v.array(target), v.minLength(1), v.maxLength(MOST_TARGETS));
const files = v.pipe(v.array(file), v.maxLength(MOST_FILES_OF_ORDER));
const timeout = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(7 * 24 * 3600));

const common = {
  type: v.literal(ORDER_TYPE, 'expected a type that is known'),
  id: orderId,
  made_at: exactTime,
  not_before: v.optional(exactTime),
  expires_at: exactTime,
  by: v.pipe(line(200), v.minLength(1)),
  why: line(1000),
};

const interval = line(32);
const wantedSettings = v.strictObject({
  collect_interval: v.optional(interval),
  submit_interval: v.optional(interval),
  collectors: v.optional(v.strictObject({ disabled: v.optional(v.pipe(v.array(line(128)), v.maxLength(500))) })),
});

const manifest = v.variant('kind', [
  v.strictObject({
    ...common,
    kind: v.literal('command'),
    targets: named,
    /** one: the program, `commands/NAME` */
    files: v.pipe(files, v.length(1)),
    /** seconds */
    timeout,
  }),
  v.strictObject({ ...common, kind: v.literal('patch'), targets: named, files, removed: v.array(path) }),
  /** the whole of site/: what is not in `files` goes; `targets: "all"`: whoever has a lower number */
  v.strictObject({
    ...common,
    kind: v.literal('release'),
    targets: v.literal('all'),
    files,
    number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  }),
  /** all that the server wants of the agent's settings; an empty object: nothing any more */
  v.strictObject({
    ...common,
    kind: v.literal('settings'),
    targets: named,
    files: v.pipe(files, v.length(0)),
    wanted: wantedSettings,
  }),
  v.strictObject({
    ...common,
    kind: v.literal('wipe'),
    targets: v.pipe(named, v.length(1)),
    files: v.pipe(files, v.length(0)),
    method: v.picklist(WIPE_METHODS),
  }),
  /** undoes a wipe by `lock` */
  v.strictObject({
    ...common,
    kind: v.literal('unlock'),
    targets: v.pipe(named, v.length(1)),
    files: v.pipe(files, v.length(0)),
  }),
]);
export type Manifest = v.InferOutput<typeof manifest>;

/** An order as it travels and as it lies in an inbox: `{"manifest": TEXT, "signatures": [ARMOR, …]}`. */
export const orderDocument = v.strictObject({
  manifest: v.pipe(v.string(), v.maxLength(LARGEST_MANIFEST)),
  /** over the manifest's bytes */
  signatures: v.pipe(v.array(armoredSignature), v.minLength(1), v.maxLength(MOST_SIGNATURES)),
});
export type OrderDocument = v.InferOutput<typeof orderDocument>;

export function readOrderDocument(bytes: Uint8Array): Read<OrderDocument> {
  return readDocument(orderDocument, bytes, { what: 'the order', most: 2 * LARGEST_MANIFEST });
}

/** @returns what the text says; refused also where it is not the canonical one for that */
export function readManifest(text: string): Read<Manifest> {
  const read = readDocument(manifest, new TextEncoder().encode(text), { what: 'the manifest', most: LARGEST_MANIFEST });
  if (!read.ok) return read;
  if (canonicalJson(read.value) !== text) return { ok: false, reason: 'the manifest is not canonical JSON' };
  const fault = findFault(read.value);
  return fault === undefined ? read : { ok: false, reason: `the manifest cannot be read: ${fault}` };
}

/** The text to be signed. @throws TypeError for what readManifest would refuse */
export function writeManifest(content: Manifest): string {
  const text = canonicalJson(content);
  const read = readManifest(text);
  if (!read.ok) throw new TypeError(read.reason);
  return text;
}

function findFault({ made_at, not_before, expires_at, ...order }: Manifest): string | undefined {
  const [made, from, until] = [made_at, not_before ?? made_at, expires_at].map(Date.parse) as [number, number, number];
  if (until <= made || until <= from) return 'it expires before it counts';
  if (until - made > LONGEST_ORDER_DAYS * 24 * 3600 * 1000) return `it is for more than ${LONGEST_ORDER_DAYS} days`;
  const paths = [...order.files.map((one) => one.path), ...(order.kind === 'patch' ? order.removed : [])];
  if (new Set(paths).size !== paths.length) return 'it names a path twice';
  if (order.files.reduce((sum, one) => sum + one.size, 0) > LARGEST_ORDER_CONTENT) return 'its files are too large';
  if (order.kind === 'command' && !order.files[0]?.path.startsWith('commands/'))
    return 'its program is none of commands/';
  if (order.kind === 'patch' && paths.length === 0) return 'it changes nothing';
  return undefined;
}
