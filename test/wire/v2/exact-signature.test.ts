import { randomBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { generateSigningKey, loadSigningKey } from '../../../src/crypto/ed25519.ts';
import { signAnswer, signRequest } from '../../../src/crypto/http-signature.ts';
import {
  ANSWER_COMPONENTS,
  parseSignature,
  REQUEST_COMPONENTS,
  readExact,
  readSignature,
} from '../../../src/wire/v2/http-signature.ts';
import { rounds } from '../../support/soak.ts';

const RUNS = { numRuns: rounds(5000, 100_000) };
const KEY = loadSigningKey(generateSigningKey());
const REQUEST = { path: '/penguindome/v2/submit', contentDigest: 'sha-256=:AA==:', sequence: '17' };

const ours = [
  {
    required: REQUEST_COMPONENTS,
    headers: signRequest(
      KEY,
      { ...REQUEST, method: 'POST', authority: 'dome.example' },
      { created: 1763931234, nonce: 'bm9u-_Y2U' },
    ),
  },
  {
    required: ANSWER_COMPONENTS,
    headers: signAnswer(
      KEY,
      { status: 200, contentDigest: 'sha-256=:AA==:', request: { ...REQUEST, signature: randomBytes(64) } },
      { created: 1763931235 },
    ),
  },
];

for (const { required, headers } of ours) {
  const exact = readExact(headers['signature-input'], headers.signature, required);

  test(`headers as we write them over ${required.length} components need no parser`, (t) => {
    t.truthy(exact);
    t.deepEqual(exact, parseSignature(headers['signature-input'], headers.signature, required));
  });

  test(`what is read without the parser is what it says, whatever becomes of headers over ${required.length} components`, (t) => {
    let read = 0;
    const inputs = damaged(headers['signature-input']);
    const signatures = fc.oneof(fc.constant(headers.signature), damaged(headers.signature));
    fc.assert(
      fc.property(inputs, signatures, (input, signature) => {
        const fast = readExact(input, signature, required);
        if (fast === undefined) return;
        read++;
        t.deepEqual(fast, parseSignature(input, signature, required));
      }),
      RUNS,
    );
    t.true(read > 20, `only ${read} were read at all`);
  });

  test(`what is no longer exact goes to the parser, over ${required.length} components`, (t) => {
    const input = headers['signature-input'].replace(');', ')  ;').replace('penguindome=', 'other=?1, penguindome=');
    t.is(readExact(input, headers.signature, required), undefined);
    t.is(
      readSignature(input, headers.signature, required),
      undefined,
      'a space before the parameters is none of RFC 8941',
    );
    const spaced = headers['signature-input'].replace('penguindome=(', 'other=?1, penguindome=( ');
    t.is(readExact(spaced, headers.signature, required), undefined);
    t.deepEqual(readSignature(spaced, headers.signature, required), exact);
  });
}

/** The text with a few places of it cut out, doubled or written over: most stay near what the exact reader takes. */
function damaged(text: string): fc.Arbitrary<string> {
  const bit = fc.oneof(
    fc.constantFrom('0', '9', '"', '\\', ' ', ';', '=', ':', '+', '/', '-', '(', ')', 'penguindome=', ';alg="ed25519"'),
    fc.constantFrom(
      ';nonce="x"',
      ';created=1',
      ';created=007',
      ';keyid="k"',
      ';keyid=k',
      ';req',
      ',',
      '\t',
      'é',
      '\u0000',
    ),
    fc.string({ maxLength: 3 }),
  );
  const cut = fc.record({ at: fc.nat(text.length), length: fc.nat(6), put: bit });
  return fc
    .array(cut, { maxLength: 3 })
    .map((cuts) => cuts.reduce((so, { at, length, put }) => so.slice(0, at) + put + so.slice(at + length), text));
}
