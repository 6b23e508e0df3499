import test from 'ava';
import fc from 'fast-check';
import * as v from 'valibot';
import { decodeDates } from '../../src/wire/dates.ts';
import { parseJson } from '../../src/wire/json.ts';
import { parseForm } from '../../src/wire/v1/form.ts';
import * as v1 from '../../src/wire/v1/messages.ts';
import { answerKeyChain, readChain } from '../../src/wire/v2/answer-keys.ts';
import { canonicalJson } from '../../src/wire/v2/digest.ts';
import { readSignature } from '../../src/wire/v2/http-signature.ts';
import {
  enrollRequest,
  refusalAnswer,
  rotateRequest,
  submitAnswer,
  submitRequest,
} from '../../src/wire/v2/messages.ts';
import { readOrderKeyStatement } from '../../src/wire/v2/order-key.ts';
import { updateRequest } from '../../src/wire/v2/order-messages.ts';
import { readRevocations } from '../../src/wire/v2/revocations.ts';
import { decodeToken } from '../../src/wire/v2/token.ts';
import { FUZZ as RUNS } from '../support/fuzz.ts';

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
        for (const schema of [
          enrollRequest,
          submitRequest,
          rotateRequest,
          updateRequest,
          submitAnswer,
          refusalAnswer,
        ]) {
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

test('whatever JSON comes as a message of v1, it is refused, or decoded to a message with a host name', (t) => {
  const field = fc.constantFrom('hostname', 'collected_at', 'plugins', 'commands', 'old_release', 'id', '__proto__');
  const message = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(field, fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant('penguin-07'), fc.nat())),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(message, (json) => {
        for (const schema of [v1.submitRequest, v1.updateRequest, v1.acknowledgePatchRequest]) {
          const decoded = v.safeParse(schema, json);
          if (decoded.success) t.is(decoded.output.hostname, Reflect.get(Object(json), 'hostname'));
        }
      }),
      RUNS,
    ),
  );
});

test('whatever bytes come as statements about keys, they are read or refused in words', (t) => {
  const field = fc.constantFrom(
    'rotations',
    'statement',
    'signature',
    'type',
    'number',
    'old_key',
    'made_at',
    '__proto__',
  );
  const json = fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.jsonValue({ maxDepth: 4 })));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    json.map((value) => Buffer.from(JSON.stringify(value))),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(bytes, (input) => {
        for (const read of [readChain, readOrderKeyStatement, readRevocations]) {
          const said = read(input);
          if (!said.ok && said.reason === '') return false;
        }
        const chain = readChain(input);
        return !chain.ok || v.is(answerKeyChain, { rotations: chain.value });
      }),
      RUNS,
    ),
  );
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Date) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
