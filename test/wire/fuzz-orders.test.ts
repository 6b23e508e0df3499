import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import * as v from 'valibot';
import { ORDER_KINDS, type Receipt, WIPE_METHODS } from '../../src/core/order.ts';
import { canonicalJson } from '../../src/wire/v2/digest.ts';
import {
  LONGEST_ORDER_DAYS,
  type Manifest,
  ORDER_TYPE,
  readManifest,
  readOrderDocument,
  writeManifest,
} from '../../src/wire/v2/order.ts';
import {
  filesAnswer,
  filesRequest,
  resultsAnswer,
  resultsRequest,
  updateAnswer,
  updateRequest,
} from '../../src/wire/v2/order-messages.ts';
import { followReceipts, NO_RECEIPTS, receiptHash } from '../../src/wire/v2/receipt.ts';
import { FUZZ as RUNS } from '../support/fuzz.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const uuid = (version: string) =>
  fc.tuple(hex(8), hex(4), hex(3), hex(3), hex(12)).map(([a, b, c, d, e]) => `${a}-${b}-${version}${c}-8${d}-${e}`);
const time = (from: number, to: number) => fc.integer({ min: from, max: to }).map((at) => new Date(at).toISOString());
const line = (most: number) =>
  fc
    .string({ unit: 'binary', maxLength: most })
    .map((text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '').slice(0, most));
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/);
const path = (folder: string) => name.map((one) => `${folder}/${one}`);
const anyPath = fc.oneof(path('plugins'), path('settings'), path('commands'));
const file = (of: fc.Arbitrary<string>) =>
  fc.record({
    path: of,
    mode: fc.integer({ min: 0o400, max: 0o755 }),
    sha256: hex(64),
    size: fc.integer({ min: 0, max: 1000 }),
  });
const target = fc.record({ host_id: uuid('4'), hostname: fc.constantFrom('a', 'Lap-1.example', 'x_y') });
const MADE = Date.UTC(2026, 10, 23);
const DAY = 24 * 3600 * 1000;

const common = {
  type: fc.constant(ORDER_TYPE),
  id: uuid('7'),
  made_at: time(MADE, MADE),
  not_before: time(MADE - 5 * DAY, MADE + DAY),
  expires_at: time(MADE + DAY + 1, MADE + LONGEST_ORDER_DAYS * DAY),
  by: line(200).filter((text) => text !== ''),
  why: line(100),
};
const requiredKeys = ['type', 'id', 'made_at', 'expires_at', 'by', 'why', 'kind', 'targets', 'files'] as const;
const named = fc.array(target, { minLength: 1, maxLength: 3 });
const none = fc.constant([]);
const distinct = fc.uniqueArray(anyPath, { maxLength: 5 });

const manifest = fc.oneof(
  fc.record(
    {
      ...common,
      kind: fc.constant('command'),
      targets: named,
      files: fc.tuple(file(path('commands'))),
      timeout: fc.integer({ min: 1, max: 604_800 }),
    },
    { requiredKeys: [...requiredKeys, 'timeout'] },
  ),
  fc.record(
    {
      ...common,
      kind: fc.constant('patch'),
      targets: named,
      files: none,
      removed: distinct.filter((all) => all.length > 0),
    },
    { requiredKeys: [...requiredKeys, 'removed'] },
  ),
  fc.record(
    {
      ...common,
      kind: fc.constant('release'),
      targets: fc.constant('all'),
      files: fc.uniqueArray(file(anyPath), { maxLength: 5, selector: (one) => one.path }),
      number: fc.integer({ min: 1 }),
    },
    { requiredKeys: [...requiredKeys, 'number'] },
  ),
  fc.record(
    {
      ...common,
      kind: fc.constant('wipe'),
      targets: fc.tuple(target),
      files: none,
      method: fc.constantFrom(...WIPE_METHODS),
    },
    { requiredKeys: [...requiredKeys, 'method'] },
  ),
  fc.record(
    { ...common, kind: fc.constant('unlock'), targets: fc.tuple(target), files: none },
    { requiredKeys: [...requiredKeys] },
  ),
);

test('a manifest that is written is read again as the same', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(manifest, (content) => {
        // An arbitrary of each kind makes a manifest of that kind.
        const text = writeManifest(content as Manifest);
        const read = readManifest(text);
        t.deepEqual(read.ok && JSON.parse(JSON.stringify(read.value)), JSON.parse(JSON.stringify(content)));
        return read.ok && writeManifest(read.value) === text;
      }),
      RUNS,
    ),
  );
});

test('whatever becomes of a manifest, it is refused, or is the one text for what it says', (t) => {
  const change = fc.tuple(
    fc.constantFrom(
      'targets',
      'files',
      'removed',
      'kind',
      'number',
      'wanted',
      'expires_at',
      'by',
      '__proto__',
      'extra',
      'id',
    ),
    fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...ORDER_KINDS, 'all', '/etc', 'plugins/../x')),
    fc.boolean(),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(manifest, change, (content, [key, value, spaced]) => {
        const changed = Object.fromEntries([...Object.entries(content), [key, value]]);
        const text = spaced ? JSON.stringify(changed, null, 1) : canonicalJson(JSON.parse(JSON.stringify(changed)));
        const read = readManifest(text);
        if (!read.ok) return read.reason.startsWith('the manifest ') && !read.reason.includes('\n');
        const { files, ...rest } = read.value;
        const paths = [...files.map((one) => one.path), ...('removed' in rest ? rest.removed : [])];
        return writeManifest(read.value) === text && paths.every((one) => !/\.\.\/|^\/|\/$/.test(one));
      }),
      RUNS,
    ),
  );
});

test('whatever bytes come as an order, reading them answers and does not throw', (t) => {
  const document = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({
        manifest: fc.string(),
        signatures: fc.array(fc.string({ unit: 'binary' }).map((text) => `-----BEGIN PGP SIGNATURE-----${text}`)),
      })
      .map((value) => Buffer.from(JSON.stringify(value))),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(document, (bytes) => {
        const read = readOrderDocument(bytes);
        if (read.ok) readManifest(read.value.manifest);
        return read.ok || read.reason.startsWith('the order ');
      }),
      RUNS,
    ),
  );
});

test('whatever JSON comes as a message about orders, it is refused, or decoded to a message', (t) => {
  const field = fc.constantFrom(
    ...['hostname', 'release', 'held', 'orders', 'status', 'order', 'sha256', 'offset', 'size', 'content', 'reports'],
    ...['receipts', 'known', 'end', 'taken', 'epoch', 'time', 'first_order_key', 'order_keys', '__proto__'],
  );
  const part = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    uuid('7'),
    hex(64),
    fc.constantFrom('penguin', 'ok', 'current', 'orders', 0, 1, '2026-11-23T12:00:00.000Z'),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(field, part)), (json) => {
        for (const schema of [updateRequest, filesRequest, resultsRequest, updateAnswer, filesAnswer, resultsAnswer]) {
          const decoded = v.safeParse(schema, json);
          if (decoded.success) t.true(isDeepStrictEqual(v.parse(schema, decoded.output), decoded.output));
        }
      }),
      RUNS,
    ),
  );
});

const content = fc.record({
  order: fc.string({ maxLength: 64 }),
  kind: fc.string({ maxLength: 32 }),
  event: fc.constantFrom<Receipt['event']>('accepted', 'refused', 'waiting', 'started', 'done', 'failed'),
  by: line(20),
  why: line(20),
  detail: fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('\ud800', '\u0000', 'é\udc00')),
});

function chainOf(contents: Omit<Receipt, 'number' | 'previous' | 'at' | 'hash'>[]): Receipt[] {
  let head = NO_RECEIPTS;
  return contents.map((one) => {
    const receipt = { ...one, number: head.number + 1, previous: head.hash, at: '2026-11-23T12:00:00.000Z' };
    const made = { ...receipt, hash: receiptHash(receipt) };
    head = made;
    return made;
  });
}

test('a chain of receipts is followed to its end, and nothing that was changed, left out or moved is', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(content, { minLength: 2, maxLength: 6 }), fc.nat(), fc.nat(), (contents, where, what) => {
        const chain = chainOf(contents);
        const at = where % chain.length;
        const end = chain.at(-1);
        t.deepEqual(followReceipts(NO_RECEIPTS, chain), { number: chain.length, hash: end?.hash ?? '' });
        const fields = ['order', 'kind', 'by', 'why', 'detail', 'at', 'previous', 'number', 'event'] as const;
        const field = fields[what % fields.length] ?? 'why';
        const altered = chain.map((one, index) => (index === at ? { ...one, [field]: `${one[field]}x` } : one));
        const without = chain.filter((_, index) => index !== at);
        // Without its last one a chain is a shorter chain.
        const shorter = at === chain.length - 1;
        return (
          followReceipts(NO_RECEIPTS, altered as Receipt[]) === undefined &&
          (shorter || followReceipts(NO_RECEIPTS, without) === undefined) &&
          followReceipts(NO_RECEIPTS, [...chain].reverse()) === undefined
        );
      }),
      { ...RUNS, numRuns: (RUNS.numRuns ?? 1000) / 5 },
    ),
  );
});
