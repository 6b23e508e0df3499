import test from 'ava';
import { printable } from '../../src/agent/context.ts';
import { isHostname } from '../../src/core/host.ts';
import { fitsPattern } from '../../src/core/name-pattern.ts';
import { frameReader, toFrame } from '../../src/store/embedded/frames.ts';
import { decodeDates } from '../../src/wire/dates.ts';
import { parseJson } from '../../src/wire/json.ts';
import { parseForm } from '../../src/wire/v1/form.ts';
import { readChain } from '../../src/wire/v2/answer-keys.ts';
import { canonicalJson } from '../../src/wire/v2/digest.ts';
import { REQUEST_COMPONENTS, readAnswerSignatures, readSignature } from '../../src/wire/v2/http-signature.ts';
import { decodeToken } from '../../src/wire/v2/token.ts';

/** Eight times as much may take so many times as long: what grows with the square takes 64 times. */
const LARGER = 8;
const ALLOWED = 28;
const ATTEMPTS = 4;
/** No noise explains this. */
const HOPELESS = 150;
/** Milliseconds, below which a time says nothing. */
const MEASURABLE = 0.5;
const LARGEST = 4 * 1024 * 1024;

const LIMITS = { depth: 64, keys: 50_000 };
const bytes = (text: string) => Buffer.from(text);
const form = (input: Buffer) => parseForm(input);
const chain = (input: Buffer) => readChain(input);
const components = REQUEST_COMPONENTS.join(' ');

function grows<T extends string | Buffer>(name: string, make: (size: number) => T, read: (input: T) => unknown): void {
  test(`${name}: the time grows with the input, not with its square`, (t) => {
    let size = 64;
    while (quickest(read, make(size)) < MEASURABLE && size * LARGER ** 2 < LARGEST) size *= 2;
    const small = Math.max(quickest(read, make(size)), MEASURABLE / 4);
    const middle = quickest(read, make(size * LARGER));
    t.true(middle / small < HOPELESS, `${LARGER} times ${size} took ${middle / small} times as long`);
    if (middle / small < ALLOWED) return;
    // once or twice may be the machine's doing (memory that was to be tidied up, others at work), each time is ours
    let ratio = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < ATTEMPTS && ratio >= ALLOWED; attempt++) {
      ratio = Math.min(ratio, quickest(read, make(size * LARGER ** 2)) / quickest(read, make(size * LARGER)));
    }
    t.true(ratio < ALLOWED, `${LARGER} times ${size * LARGER} took ${ratio} times as long`);
  });
}

/** The least of several: whatever else the machine does only adds. */
function quickest<T>(read: (input: T) => unknown, input: T): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const from = performance.now();
    read(input);
    least = Math.min(least, performance.now() - from);
  }
  return least;
}

const json = (input: Buffer) => parseJson(input, LIMITS);
const unlimited = (input: Buffer) => parseJson(input, { depth: input.length, keys: input.length });
const headers = (input: string) => readSignature(input, `penguindome=:${'A'.repeat(86)}==:`, REQUEST_COMPONENTS);
const signature = (input: string) =>
  readSignature(`penguindome=(${components});created=1;keyid="k"`, input, REQUEST_COMPONENTS);
const answers = (input: string) => readAnswerSignatures(input, input);

grows('JSON of many lists', (size) => bytes(`[${'[],'.repeat(size)}0]`), unlimited);
grows('JSON nested deeply', (size) => bytes('['.repeat(size)), json);
grows('JSON of one string', (size) => bytes(`"${'\\\\'.repeat(size)}"`), json);
grows('JSON of many equal keys', (size) => bytes(`{${'"a":1,'.repeat(size)}"a":1}`), unlimited);
grows('JSON of many keys', (size) => bytes(JSON.stringify(Object.fromEntries(many(size)))), unlimited);
grows(
  'canonical JSON',
  (size) => JSON.stringify(Object.fromEntries(many(size))),
  (text) => canonicalJson(JSON.parse(text)),
);
grows(
  'dates in JSON',
  (size) => JSON.stringify(many(size).map(([key]) => ({ a_at: key }))),
  (text) => decodeDates(JSON.parse(text)),
);
grows(
  'a date of many digits',
  (size) => '1'.repeat(size),
  (text) => decodeDates({ a_at: `2026-11-23T10:00:00.${text}Z` }),
);
grows('a form of empty fields', (size) => bytes('&'.repeat(size)), form);
grows('a form of other fields', (size) => bytes('dat=%41&'.repeat(size)), form);
grows('a form with a long field', (size) => bytes(`data=${'%41+'.repeat(size)}`), form);
grows('signature headers of many components', (size) => `penguindome=(${'"@path" '.repeat(size)});created=1`, headers);
grows(
  'signature headers of many parameters',
  (size) => `penguindome=(${components})${';created=1'.repeat(size)};keyid="k"`,
  headers,
);
grows('signature headers of many labels', (size) => `${'penguindome=(),'.repeat(size)}a=1`, headers);
grows('signature headers of spaces', (size) => `penguindome=(${' '.repeat(size)})`, headers);
grows(
  'signature headers of an open string',
  (size) => `penguindome=(${components});keyid="${'\\"'.repeat(size)}`,
  headers,
);
grows('a signature of many bytes', (size) => `penguindome=:${'A'.repeat(size * 4)}:`, signature);
grows('a signature of many equals signs', (size) => `penguindome=:${'='.repeat(size)}`, signature);
grows(
  'answers of many labels',
  (size) => Array.from({ length: size }, (_, n) => `penguindome-${n}=:AAAA:`).join(),
  answers,
);
grows('a token of many bytes', (size) => `penguindome1:${'A'.repeat(size)}`, decodeToken);
grows('a token of spaces', (size) => ` ${' '.repeat(size)}penguindome1:`, decodeToken);
grows('a chain of keys', (size) => bytes(JSON.stringify({ rotations: many(size) })), chain);
grows('a host name', (size) => `${'a-.'.repeat(size)}_`, isHostname);
grows(
  'a pattern of one star',
  (size) => 'a'.repeat(size),
  (text) => fitsPattern(text, '*ab'),
);
grows('what is printed', (size) => '\u001b[2J'.repeat(size), printable);
grows(
  'a frame in small pieces',
  (size) => toFrame('x'.repeat(size)),
  (frame) => {
    const read = frameReader();
    for (let at = 0; at < frame.length; at += 16) read(frame.subarray(at, at + 16));
  },
);
grows(
  'many frames at once',
  (size) => Buffer.concat(many(size).map(([key]) => toFrame(key))),
  (frames) => frameReader()(frames),
);

function many(size: number): [string, number][] {
  return Array.from({ length: size }, (_, n) => [`key-${n}`, n]);
}
