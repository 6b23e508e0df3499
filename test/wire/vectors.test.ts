import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import * as v from 'valibot';
import { followRotations, newestOf } from '../../src/crypto/answer-keys.ts';
import { fingerprintOf } from '../../src/crypto/openpgp.ts';
import { verifyOrder } from '../../src/crypto/order-signatures.ts';
import { takeOrderKey, takeRevocations } from '../../src/crypto/order-trust.ts';
import { readChain } from '../../src/wire/v2/answer-keys.ts';
import { readAnswerSignatures } from '../../src/wire/v2/http-signature.ts';
import { refusalAnswer, submitAnswer, submitRequest } from '../../src/wire/v2/messages.ts';
import { readManifest, readOrderDocument, writeManifest } from '../../src/wire/v2/order.ts';
import { readOrderKeyStatement } from '../../src/wire/v2/order-key.ts';
import { followReceipts, NO_RECEIPTS } from '../../src/wire/v2/receipt.ts';
import { readRevocations } from '../../src/wire/v2/revocations.ts';
import { decodeToken } from '../../src/wire/v2/token.ts';
import { gpgHome, hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import {
  buildVectors,
  makeOpenPgpVectors,
  makeOrderVectors,
  manifestsOfVectors,
  type OpenPgpVectors,
} from '../support/vectors.ts';

const FILE = 'docs/vectors.json';
const WRITE = 'PENGUINDOME_WRITE_VECTORS';

type Vectors = ReturnType<typeof buildVectors>;
const read = (): Vectors => JSON.parse(readFileSync(FILE, 'utf8'));

if (process.env[WRITE] !== undefined) {
  // `new` makes OpenPGP's part anew, with new keys; anything else keeps it.
  const openpgp: OpenPgpVectors = process.env[WRITE] === 'new' ? await makeOpenPgpVectors() : read();
  const { order_key_rotation, revocations, orders = await makeOrderVectors() } = openpgp;
  writeFileSync(FILE, `${JSON.stringify(buildVectors({ order_key_rotation, revocations, orders }), null, 2)}\n`);
}

const vectors = read();

test(`docs/vectors.json is what the code makes (${WRITE}=1 node test/run.mjs test/wire/vectors writes it)`, (t) => {
  const { order_key_rotation, revocations, orders } = vectors;
  t.deepEqual(vectors, JSON.parse(JSON.stringify(buildVectors({ order_key_rotation, revocations, orders }))));
  t.deepEqual(
    orders.signed.map(({ manifest }) => manifest),
    manifestsOfVectors().map(writeManifest),
  );
});

// From here on nothing of ours but the file: what a stranger has.

const sha256 = (data: string, encoding: 'hex' | 'base64' | 'base64url') =>
  createHash('sha256').update(data).digest(encoding);

function publicKeyOf(base64: string): KeyObject {
  const x = Buffer.from(base64, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

const keyNamed = (name: string): KeyObject => publicKeyOf(vectors.keys[name]?.public_key ?? '');

/** The bytes under one label of a `Signature` header. */
function signatureUnder(label: string, header: string): Buffer {
  const found = header.split(', ').find((part) => part.startsWith(`${label}=:`));
  return Buffer.from(found?.slice(label.length + 2, -1) ?? '', 'base64');
}

const verifies = (text: string, key: KeyObject, signature: Buffer): boolean =>
  verify(null, Buffer.from(text), key, signature);

test('by node:crypto alone: each key follows from its seed, each key id from its key', (t) => {
  for (const { seed, public_key, key_id } of Object.values(vectors.keys)) {
    const der = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex');
    const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    t.is(createPublicKey(secret).export({ format: 'jwk' }).x, Buffer.from(public_key, 'base64').toString('base64url'));
    t.is(createHash('sha256').update(Buffer.from(public_key, 'base64')).digest('base64url'), key_id);
    t.true(verifies('x', publicKeyOf(public_key), sign(null, Buffer.from('x'), secret)));
  }
});

test('by node:crypto alone: digests of bodies and of the list', (t) => {
  for (const { value, canonical, digest } of vectors.bodies) {
    t.deepEqual(JSON.parse(canonical), JSON.parse(JSON.stringify(value)));
    t.is(sha256(canonical, 'hex'), digest);
  }
  const pairs = Object.entries(vectors.list.list).sort(([a], [b]) => (a < b ? -1 : 1));
  t.is(sha256(JSON.stringify(pairs), 'hex'), vectors.list.digest);
});

test('by node:crypto alone: the request verifies, and its base follows from its parts', (t) => {
  const { line, headers, body, signature_base, key } = vectors.request;
  t.is(headers['content-digest'], `sha-256=:${sha256(body, 'base64')}:`);
  const [method, path] = line.split(' ');
  const params = headers['signature-input'].slice('penguindome='.length);
  t.is(
    signature_base,
    [
      `"@method": ${method}`,
      `"@path": ${path}`,
      `"@authority": ${headers.host}`,
      `"content-digest": ${headers['content-digest']}`,
      `"penguindome-sequence": ${headers['penguindome-sequence']}`,
      `"@signature-params": ${params}`,
    ].join('\n'),
  );
  t.true(verifies(signature_base, keyNamed(key), signatureUnder('penguindome', headers.signature)));
});

for (const name of ['answer', 'answer_in_overlap', 'refusal'] as const) {
  test(`by node:crypto alone: the ${name} verifies, bound to the request`, (t) => {
    const { status, headers, body, signatures } = vectors[name];
    const asked = vectors.request.headers;
    t.is(headers['content-digest'], `sha-256=:${sha256(body, 'base64')}:`);
    for (const { label, key, signature_base } of signatures) {
      const input = headers['signature-input'].split(/, (?=penguindome)/).find((part) => part.startsWith(`${label}=`));
      t.is(
        signature_base,
        [
          `"@status": ${status}`,
          `"content-digest": ${headers['content-digest']}`,
          `"@path";req: ${vectors.request.line.split(' ')[1]}`,
          `"content-digest";req: ${asked['content-digest']}`,
          `"penguindome-sequence";req: ${asked['penguindome-sequence']}`,
          `"signature";req;key="penguindome": ${asked.signature.slice('penguindome='.length)}`,
          `"@signature-params": ${input?.slice(label.length + 1)}`,
        ].join('\n'),
      );
      t.true(verifies(signature_base, keyNamed(key), signatureUnder(label, headers.signature)));
    }
  });
}

test('by node:crypto alone: the rotations of an answer key and of a host key, and the token', (t) => {
  const { rotation, signed_text, old_key } = vectors.answer_key_rotation;
  t.is(signed_text, JSON.stringify(Object.fromEntries(Object.entries(rotation.statement).sort())));
  t.true(verifies(signed_text, keyNamed(old_key), Buffer.from(rotation.signature, 'base64')));
  const host = vectors.host_key_rotation;
  const parts = [host.host_id, vectors.keys[host.old_key]?.key_id, vectors.keys[host.new_key]?.public_key];
  t.is(host.signed_text, ['penguindome-rotate-key', ...parts].join('\n'));
  t.true(verifies(host.signed_text, keyNamed(host.new_key), Buffer.from(host.proof, 'base64')));
  const { text, content } = vectors.token;
  t.deepEqual(JSON.parse(Buffer.from(text.slice('penguindome1:'.length), 'base64url').toString()), content);
});

/** The content of the one packet of this tag in ASCII armor (RFC 9580 sections 4.2 and 6). */
function packetIn(armored: string, tag: number): Buffer {
  const lines = armored.split('\n').filter((line) => /^[A-Za-z0-9+/]+={0,2}\r?$/.test(line));
  const bytes = Buffer.from(lines.join(''), 'base64');
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    if ((first & 0x40) === 0) throw new Error('an old packet format');
    const length = bytes[at + 1] ?? 0;
    const [from, size] = length < 192 ? [at + 2, length] : [at + 3, ((length - 192) << 8) + (bytes[at + 2] ?? 0) + 192];
    if ((first & 0x3f) === tag) return bytes.subarray(from, from + size);
    at = from + size;
  }
  throw new Error(`no packet ${tag}`);
}

/** Ed25519 of OpenPGP version 4 (RFC 9580 sections 5.2.3, 5.2.4 and 5.5.5.4). */
function openPgpVerifies(armoredKey: string, text: string, armoredSignature: string): boolean {
  const key = packetIn(armoredKey, 6);
  const signature = packetIn(armoredSignature, 2);
  // version 4, algorithm EdDSALegacy, SHA-512, over bytes
  if (key[0] !== 4 || key[5] !== 22 || signature[0] !== 4 || signature[1] !== 0 || signature[3] !== 10) return false;
  const point = key.subarray(-32);
  const hashed = signature.subarray(0, 6 + signature.readUInt16BE(4));
  const unhashed = hashed.length + 2 + signature.readUInt16BE(hashed.length);
  const trailer = Buffer.concat([Buffer.from([4, 0xff]), Buffer.alloc(4)]);
  trailer.writeUInt32BE(hashed.length, 2);
  const hash = createHash('sha512').update(text).update(hashed).update(trailer).digest();
  const numbers: Buffer[] = [];
  for (let at = unhashed + 2; at < signature.length; ) {
    const size = Math.ceil(signature.readUInt16BE(at) / 8);
    numbers.push(Buffer.concat([Buffer.alloc(32 - size), signature.subarray(at + 2, at + 2 + size)]));
    at += 2 + size;
  }
  return verify(null, hash, publicKeyOf(point.toString('base64')), Buffer.concat(numbers));
}

test('by node:crypto alone: the rotation of the order key, and the list of revocations', (t) => {
  for (const [key, { statement, signed_text, signature }] of [
    [vectors.order_key_rotation.old_key, vectors.order_key_rotation],
    [vectors.revocations.order_key, vectors.revocations],
  ] as const) {
    t.deepEqual(JSON.parse(signed_text), statement);
    t.true(openPgpVerifies(key, signed_text, signature));
    t.false(openPgpVerifies(key, `${signed_text} `, signature));
  }
});

test('by node:crypto alone: orders are signed over the bytes of their manifests', (t) => {
  const { order_key, operator_key, signed } = vectors.orders;
  for (const { manifest, signatures } of signed) {
    const [server = '', operator] = signatures;
    t.true(openPgpVerifies(order_key, manifest, server));
    t.false(openPgpVerifies(order_key, manifest.replace('alice', 'Alice'), server));
    t.false(openPgpVerifies(operator_key, manifest, server));
    if (operator !== undefined) t.true(openPgpVerifies(operator_key, manifest, operator));
  }
  t.is(signed.at(-1)?.signatures.length, 2);
});

test('by node:crypto alone: each receipt names the hash of the one before it', (t) => {
  const { hashed_text, chain } = vectors.receipts;
  const [first] = chain;
  t.is(first?.hash, sha256(hashed_text, 'hex'));
  t.deepEqual({ ...JSON.parse(hashed_text), hash: first?.hash }, first);
  t.deepEqual(
    chain.map(({ previous }) => previous),
    ['0'.repeat(64), ...chain.map(({ hash }) => hash)].slice(0, -1),
  );
});

const withGpg = whenPresent(hasGpg, 'the orders among the vectors against the real gpg: no /usr/bin/gpg');

withGpg('by gpg alone: orders are signed by the key that is shown', async (t) => {
  const gpg = await gpgHome(t);
  const { order_key, operator_key, signed } = vectors.orders;
  await gpg(['--import'], order_key);
  await gpg(['--import'], operator_key);
  const [manifestFile, signatureFile] = [join(gpg.home, 'manifest'), join(gpg.home, 'manifest.asc')];
  for (const { manifest, signatures } of signed) {
    writeFileSync(manifestFile, manifest);
    for (const [index, signature] of signatures.entries()) {
      writeFileSync(signatureFile, signature);
      const said = await gpg(['--status-fd', '1', '--verify', signatureFile, manifestFile]);
      const fingerprint = await fingerprintOf(index === 0 ? order_key : operator_key);
      t.true(said.includes(`VALIDSIG ${fingerprint} `), said);
    }
  }
});

// And what our own readers say to the same file.

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

test('our own readers take every vector', async (t) => {
  t.true(v.safeParse(submitRequest, JSON.parse(vectors.request.body)).success);
  t.true(v.safeParse(submitAnswer, JSON.parse(vectors.answer.body)).success);
  t.true(v.safeParse(refusalAnswer, JSON.parse(vectors.refusal.body)).success);
  const { headers } = vectors.answer_in_overlap;
  t.deepEqual(
    readAnswerSignatures(headers['signature-input'], headers.signature).map(({ parameters }) => parameters.keyid),
    ['answer_1', 'answer_0'].map((name) => vectors.keys[name]?.key_id ?? ''),
  );
  t.deepEqual(decodeToken(vectors.token.text), vectors.token.content);
  const chain = readChain(bytes({ rotations: [vectors.answer_key_rotation.rotation] }));
  const pinned = { first: { number: 0, key: vectors.keys['answer_0']?.public_key ?? '' }, rotations: [] };
  const followed = chain.ok ? followRotations(pinned, chain.value) : chain;
  t.deepEqual(followed.ok && newestOf(followed.ring), { number: 1, key: vectors.keys['answer_1']?.public_key });
});

test('our own readers refuse the chains that are to be refused, for the reason that is given', (t) => {
  const first = { number: 0, key: vectors.keys['answer_0']?.public_key ?? '' };
  for (const { why, known, rotations } of vectors.answer_key_rotation.refused) {
    const read = readChain(bytes({ rotations }));
    const followed = read.ok ? followRotations({ first, rotations: known }, read.value) : read;
    t.false(followed.ok, why);
    if (!followed.ok) t.true(followed.reason.includes(why), followed.reason);
  }
});

test('our own readers take the vectors of OpenPGP', async (t) => {
  const now = new Date('2026-11-24T00:00:00Z');
  const { old_key, statement, signature } = vectors.order_key_rotation;
  const order = { number: 0, fingerprint: await fingerprintOf(old_key), key: old_key };
  const trust = { order, authorization: 'server', operators: [], revocations: null } as const;
  const rotation = readOrderKeyStatement(bytes({ statement, signature }));
  if (!rotation.ok) return t.fail(rotation.reason);
  const taken = await takeOrderKey(trust, rotation.value, now);
  if (!taken.ok) return t.fail(taken.reason);
  const { revocations } = vectors;
  const list = readRevocations(bytes({ statement: revocations.statement, signature: revocations.signature }));
  if (!list.ok) return t.fail(list.reason);
  t.like(await takeRevocations(taken.trust, list.value, now), { ok: true, changed: true });
});

test('our own readers take the orders and receipts, and refuse the chains that are to be refused', async (t) => {
  const now = new Date('2026-11-24T00:00:00Z');
  const { order_key, operator_key, signed } = vectors.orders;
  const fingerprint = await fingerprintOf(order_key);
  const order = { number: 0, fingerprint, key: order_key };
  const trust = { order, authorization: 'server', operators: [operator_key], revocations: null } as const;
  for (const document of signed) {
    t.true(readOrderDocument(bytes(document)).ok);
    t.true(readManifest(document.manifest).ok);
    const { server, operators, faults } = await verifyOrder(document.manifest, document.signatures, trust, now);
    t.true(server);
    t.is(operators.length, document.signatures.length - 1);
    t.deepEqual(faults, []);
  }
  const { chain, refused } = vectors.receipts;
  t.is(followReceipts(NO_RECEIPTS, chain)?.number, chain.length);
  for (const { why, receipts } of refused) t.is(followReceipts(NO_RECEIPTS, receipts), undefined, why);
});
