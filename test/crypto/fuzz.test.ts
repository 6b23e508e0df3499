import test from 'ava';
import fc from 'fast-check';
import { generateSigningKey, importPublicKey, loadSigningKey } from '../../src/crypto/ed25519.ts';
import { signRequest, verifyRequest } from '../../src/crypto/http-signature.ts';
import { readPublicKeys, verifyDetached } from '../../src/crypto/openpgp.ts';
import {
  parseSignature,
  REQUEST_COMPONENTS,
  type RequestParts,
  readAnswerSignatures,
  readExact,
  readSignature,
  requestValues,
  signatureBase,
  signatureParams,
} from '../../src/wire/v2/http-signature.ts';
import { FUZZ } from '../support/fuzz.ts';
import { fleetKey, signV1 } from '../support/v1-client.ts';

const key = loadSigningKey(generateSigningKey());
const publicKey = importPublicKey(key.publicKey);

/** What a header may hold: HTTP lets no line break in. */
const value = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replace(/[\r\n]/g, ' '));
/** Likely to look like the rest of a signature base. */
const tricky = fc.constantFrom('"@path": /', '"@signature-params": ()', '";keyid="x', ': ', '');
const field = fc.tuple(fc.oneof(value, tricky), tricky).map(([a, b]) => a + b);
const parts: fc.Arbitrary<RequestParts> = fc.record({
  method: field,
  path: field,
  authority: field,
  contentDigest: field,
  sequence: field,
});
const nonce = fc.base64String({ maxLength: 24 }).map((text) => text.replace(/=/g, ''));

test('two requests that differ have different signature bases', (t) => {
  const base = (of: RequestParts, created: number) =>
    signatureBase(REQUEST_COMPONENTS, requestValues(of), signatureParams(REQUEST_COMPONENTS, { created, keyid: 'k' }));
  t.notThrows(() =>
    fc.assert(
      fc.property(parts, parts, fc.nat(), fc.nat(), (a, b, at, bt) => {
        const same = JSON.stringify([a, at]) === JSON.stringify([b, bt]);
        return (base(a, at) === base(b, bt)) === same;
      }),
      FUZZ,
    ),
  );
});

test('a signature holds for what was signed, and for nothing that differs in one part', (t) => {
  const name = fc.constantFrom('method', 'path', 'authority', 'contentDigest', 'sequence' as const);
  t.notThrows(() =>
    fc.assert(
      fc.property(parts, name, field, fc.nat(), nonce, (signed, changed, to, created, random) => {
        const headers = signRequest(key, signed, { created, nonce: random });
        const read = readSignature(headers['signature-input'], headers.signature, REQUEST_COMPONENTS);
        if (read === undefined || !verifyRequest(publicKey, signed, read)) return false;
        const other = { ...signed, [changed]: to };
        return signed[changed] === to || !verifyRequest(publicKey, other, read);
      }),
      FUZZ,
    ),
  );
});

/** Signature headers as a client sends them, with some of their characters changed. */
const changedHeaders = fc
  .tuple(
    fc.record({ created: fc.nat(), nonce }),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom('', ' ', ',', ';', '"', '(', ')', '=', ':', '\\', 'A', '1', 'penguindome=', '\t', '\u00e9'),
      ),
      { maxLength: 4 },
    ),
    fc.boolean(),
  )
  .map(([parameters, changes, both]) => {
    const keyid = key.id;
    let input = `penguindome=${signatureParams(REQUEST_COMPONENTS, { ...parameters, keyid })}`;
    let signature = `penguindome=:${Buffer.alloc(64, 7).toString('base64')}:`;
    for (const [at, text] of changes) {
      const place = at % input.length;
      input = input.slice(0, place) + text + input.slice(place + (at % 3));
      if (both)
        signature = signature.slice(0, at % signature.length) + text + signature.slice((at % signature.length) + 1);
    }
    return { input, signature };
  });

test('reading signature headers without a parser never says anything else than the parser', (t) => {
  let exact = 0;
  t.notThrows(() =>
    fc.assert(
      fc.property(changedHeaders, ({ input, signature }) => {
        const quick = readExact(input, signature, REQUEST_COMPONENTS);
        if (quick === undefined) return;
        exact++;
        t.deepEqual(quick, parseSignature(input, signature, REQUEST_COMPONENTS));
      }),
      FUZZ,
    ),
  );
  t.true(exact > 0);
});

test('whatever stands in the headers of an answer, reading its signatures answers and does not throw', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(changedHeaders, ({ input, signature }) => readAnswerSignatures(input, signature).length <= 4),
      FUZZ,
    ),
  );
});

test('whatever is handed over as a signature of v1, it is refused, or is the one that was made', async (t) => {
  const data = '{"hostname":"penguin-07"}';
  const keys = await readPublicKeys(fleetKey.publicKey);
  const good = await signV1(data);
  const armored = fc
    .tuple(fc.array(fc.tuple(fc.nat(), fc.string({ maxLength: 3 })), { minLength: 1, maxLength: 3 }), fc.nat(4))
    .map(([changes, kind]) => {
      if (kind === 0) return changes.map(([, text]) => text).join('\n');
      let text = good;
      for (const [at, put] of changes) {
        const place = at % text.length;
        text = text.slice(0, place) + put + text.slice(place + kind - 1);
      }
      return text;
    });
  const now = new Date();
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(armored, async (armoredSignature) => {
        const verdict = await verifyDetached({ armoredSignature, data, keys, now, maxAge: 86_400_000 });
        return verdict.ok || verdict.reason !== '';
      }),
      FUZZ,
    ),
  );
});
