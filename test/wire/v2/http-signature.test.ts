import { createPublicKey, verify } from 'node:crypto';
import test from 'ava';
import { generateSigningKey, importPublicKey, loadSigningKey } from '../../../src/crypto/ed25519.ts';
import { signAnswer, signRequest, verifyAnswer, verifyRequest } from '../../../src/crypto/http-signature.ts';
import { contentDigest } from '../../../src/wire/v2/digest.ts';
import {
  ANSWER_COMPONENTS,
  authorityOf,
  REQUEST_COMPONENTS,
  type RequestParts,
  readSignature,
  signatureBase,
} from '../../../src/wire/v2/http-signature.ts';

const PARTS: RequestParts = {
  method: 'POST',
  path: '/penguindome/v2/submit',
  authority: 'dome.example:8443',
  contentDigest: contentDigest(Buffer.from('{}')),
  sequence: '1763931234567890',
};

test('a signature base is that of the Ed25519 example, RFC 9421 appendix B.2.6', (t) => {
  const components = ['"date"', '"@method"', '"@path"', '"@authority"', '"content-type"', '"content-length"'];
  const values = new Map([
    ['"date"', 'Tue, 20 Apr 2021 02:07:55 GMT'],
    ['"@method"', 'POST'],
    ['"@path"', '/foo'],
    ['"@authority"', 'example.com'],
    ['"content-type"', 'application/json'],
    ['"content-length"', '18'],
  ]);
  const params =
    '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"';
  const key = createPublicKey(
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n',
  );
  const signature = 'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==';
  t.true(verify(null, Buffer.from(signatureBase(components, values, params)), key, Buffer.from(signature, 'base64')));
});

test('a signed request verifies with its key, and with nothing changed', (t) => {
  const key = loadSigningKey(generateSigningKey());
  const headers = signRequest(key, PARTS, { created: 1763931234, nonce: 'bm9uY2U' });
  const presented = readSignature(headers['signature-input'], headers.signature, REQUEST_COMPONENTS);
  t.truthy(presented);
  if (presented === undefined) return;
  t.deepEqual(presented.parameters, { created: 1763931234, keyid: key.id, nonce: 'bm9uY2U' });
  const publicKey = importPublicKey(key.publicKey);
  t.true(verifyRequest(publicKey, PARTS, presented));
  const changes: Partial<RequestParts>[] = [
    { method: 'GET' },
    { path: '/penguindome/v2/update' },
    { authority: 'other.example' },
    { contentDigest: contentDigest(Buffer.from('[]')) },
    { sequence: '1763931234567891' },
  ];
  for (const change of changes)
    t.false(verifyRequest(publicKey, { ...PARTS, ...change }, presented), JSON.stringify(change));
  t.false(verifyRequest(importPublicKey(loadSigningKey(generateSigningKey()).publicKey), PARTS, presented));
  t.false(
    verifyRequest(publicKey, PARTS, { ...presented, params: presented.params.replace('created=1', 'created=2') }),
  );
});

test('an answer verifies only for the request that it answers', (t) => {
  const key = loadSigningKey(generateSigningKey());
  const request = {
    path: PARTS.path,
    contentDigest: PARTS.contentDigest,
    sequence: PARTS.sequence,
    signature: Buffer.alloc(64, 1),
  };
  const parts = { status: 200, contentDigest: contentDigest(Buffer.from('{"status":"ok"}')), request };
  const headers = signAnswer(key, parts, { created: 1763931235 });
  const presented = readSignature(headers['signature-input'], headers.signature, ANSWER_COMPONENTS);
  t.truthy(presented);
  if (presented === undefined) return;
  const publicKey = importPublicKey(key.publicKey);
  t.true(verifyAnswer(publicKey, parts, presented));
  t.false(verifyAnswer(publicKey, { ...parts, status: 409 }, presented));
  t.false(verifyAnswer(publicKey, { ...parts, request: { ...request, sequence: '1763931234567891' } }, presented));
  t.false(verifyAnswer(publicKey, { ...parts, request: { ...request, signature: Buffer.alloc(64, 2) } }, presented));
});

const WRONG_HEADERS: [string, string | undefined, string | undefined][] = [
  ['no Signature-Input', undefined, 'penguindome=:AAAA:'],
  ['no Signature', 'penguindome=("@method");created=1;keyid="k"', undefined],
  ['another label', 'sig1=("@method");created=1;keyid="k"', 'sig1=:AAAA:'],
  ['no structured field', 'penguindome=(((', 'penguindome=:AAAA:'],
  ['a string for a signature', 'penguindome=("@method");created=1;keyid="k"', 'penguindome="AAAA"'],
  ['a missing component', 'penguindome=("@path");created=1;keyid="k"', 'penguindome=:AAAA:'],
  ['a component twice', 'penguindome=("@method" "@method");created=1;keyid="k"', 'penguindome=:AAAA:'],
  ['no created', 'penguindome=("@method");keyid="k"', 'penguindome=:AAAA:'],
  ['no keyid', 'penguindome=("@method");created=1', 'penguindome=:AAAA:'],
  ['another algorithm', 'penguindome=("@method");created=1;keyid="k";alg="hmac-sha256"', 'penguindome=:AAAA:'],
];

for (const [what, input, signature] of WRONG_HEADERS) {
  test(`headers with ${what} hold no signature of ours`, (t) => {
    t.is(readSignature(input, signature, ['"@method"']), undefined);
  });
}

test('the authority is lower case, without the default port of its scheme', (t) => {
  t.is(authorityOf('https', 'Dome.Example:443'), 'dome.example');
  t.is(authorityOf('https', 'dome.example:8443'), 'dome.example:8443');
  t.is(authorityOf('http', '[::1]:80'), '[::1]');
  t.throws(() => authorityOf('https', 'a b'));
});
