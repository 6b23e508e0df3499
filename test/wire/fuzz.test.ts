import test from 'ava';
import fc from 'fast-check';
import * as v from 'valibot';
import { decodeDates } from '../../src/wire/dates.ts';
import { parseJson } from '../../src/wire/json.ts';
import { parseForm } from '../../src/wire/v1/form.ts';
import { canonicalJson } from '../../src/wire/v2/digest.ts';
import { readSignature } from '../../src/wire/v2/http-signature.ts';
import { enrollRequest, submitRequest, updateRequest } from '../../src/wire/v2/messages.ts';
import { decodeToken } from '../../src/wire/v2/token.ts';
import { rounds } from '../support/soak.ts';

const RUNS = { numRuns: rounds(2000, 100_000) };

/** Text that begins like the real thing, so that the reader gets past its first look. */
const almost = (start: string, end: string) =>
  fc.tuple(fc.string({ unit: 'binary' }), fc.string()).map(([a, b]) => `${start}${a}${b}${end}`);

test('whatever stands in the signature headers, reading them answers and does not throw', (t) => {
  const input = fc.oneof(
    fc.string({ unit: 'binary' }),
    almost('penguindome=("@method"', ');created=1;keyid="k"'),
    almost('penguindome=(', ''),
  );
  const signature = fc.oneof(fc.string(), almost('penguindome=:', ':'));
  t.notThrows(() =>
    fc.assert(
      fc.property(input, signature, (a, b) => readSignature(a, b, ['"@method"']) === undefined || true),
      RUNS,
    ),
  );
});

test('whatever is handed over as a token, reading it answers and does not throw', (t) => {
  const encoded = fc
    .jsonValue()
    .map((json) => `penguindome1:${Buffer.from(JSON.stringify(json)).toString('base64url')}`);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.oneof(almost('penguindome1:', ''), encoded), (text) => decodeToken(text) === undefined),
      RUNS,
    ),
  );
});

test('whatever JSON comes as a message, it is refused, or decoded to a message', (t) => {
  const field = fc.constantFrom(
    'submission',
    'chain',
    'hostname',
    'collected_at',
    'digest',
    'list',
    'bodies',
    'gone',
    'token',
    'public_key',
    'release',
    '__proto__',
  );
  const message = fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.jsonValue({ maxDepth: 3 })));
  t.notThrows(() =>
    fc.assert(
      fc.property(message, (json) => {
        for (const schema of [enrollRequest, submitRequest, updateRequest]) {
          const decoded = v.safeParse(schema, json);
          // what was taken is a message: it decodes again, to the same
          if (decoded.success) t.deepEqual(v.parse(schema, decoded.output), decoded.output);
        }
      }),
      RUNS,
    ),
  );
});

test('canonical JSON says the same as the JSON that it was made from', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (json) => {
        const value: unknown = JSON.parse(JSON.stringify(json));
        const text = canonicalJson(value);
        t.deepEqual(JSON.parse(text), value);
        return canonicalJson(JSON.parse(text)) === text;
      }),
      RUNS,
    ),
  );
});

test('limits on JSON hold: what is taken is within them, and is what JSON.parse says', (t) => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => Buffer.from(text)),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(bytes, (input) => {
        const parsed = parseJson(input, { depth: 3, keys: 8 });
        if (!parsed.ok) return parsed.reason.startsWith('cannot ');
        t.deepEqual(parsed.value, JSON.parse(Buffer.from(input).toString()));
        return depthOf(parsed.value) <= 3;
      }),
      RUNS,
    ),
  );
});

test('forms of v1: any bytes are read or refused, and dates in any JSON are decoded', (t) => {
  t.notThrows(() => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => parseForm(bytes) === undefined || true),
      RUNS,
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a_at', 'b', '__proto__'), fc.jsonValue({ maxDepth: 2 })), (json) => {
        t.deepEqual(Object.keys(Object(decodeDates(json))).sort(), Object.keys(json).sort());
      }),
      RUNS,
    );
  });
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Date) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
