/**
 * What docs/vectors.json holds, made by our own code out of fixed keys and words. All secret keys in it are public knowledge
 * (RFC 8032 section 7.1); OpenPGP's signatures are made once and kept, for they hold a salt.
 */
import type { Digest, HostId } from '../../src/core/host.ts';
import { signRotation } from '../../src/crypto/answer-keys.ts';
import { loadSigningKey, type SigningKey } from '../../src/crypto/ed25519.ts';
import { signAnswer, signRequest } from '../../src/crypto/http-signature.ts';
import { generateOrderKey } from '../../src/crypto/openpgp.ts';
import { bodyDigest, canonicalJson, contentDigest, listDigest } from '../../src/wire/v2/digest.ts';
import {
  ANSWER_COMPONENTS,
  type AnswerParts,
  answerValues,
  LABEL,
  olderLabel,
  REQUEST_COMPONENTS,
  requestValues,
  signatureBase,
} from '../../src/wire/v2/http-signature.ts';
import { type Manifest, ORDER_TYPE, writeManifest } from '../../src/wire/v2/order.ts';
import { ORDER_ROTATION_TYPE } from '../../src/wire/v2/order-key.ts';
import { SUBMIT } from '../../src/wire/v2/paths.ts';
import { NO_RECEIPTS, receiptHash } from '../../src/wire/v2/receipt.ts';
import { REVOCATIONS_TYPE } from '../../src/wire/v2/revocations.ts';
import { rotationStatement } from '../../src/wire/v2/rotation.ts';
import { encodeToken } from '../../src/wire/v2/token.ts';
import { signDetached } from './openpgp.ts';

const SEEDS = {
  host: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  host_next: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  answer_0: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
  answer_1: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
};

/** PKCS #8 of Ed25519 up to the 32 bytes of the seed (RFC 8410 section 7). */
const PKCS8_PREFIX = '302e020100300506032b657004220420';
const AT = new Date('2026-11-23T12:00:00.000Z');
const SECONDS = AT.getTime() / 1000;
const SEQUENCE = String(AT.getTime() * 1000);
const HOST_ID = '019ab0c4-5e00-7000-8000-000000000001' as HostId;
const EPOCH = '5f0c2c53-9d3e-4c43-9f9e-1d1a6f6f2b11';

function keyOf(seed: string): SigningKey {
  const der = Buffer.from(PKCS8_PREFIX + seed, 'hex').toString('base64');
  return loadSigningKey(`-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`);
}

const keys = {
  host: keyOf(SEEDS.host),
  host_next: keyOf(SEEDS.host_next),
  answer_0: keyOf(SEEDS.answer_0),
  answer_1: keyOf(SEEDS.answer_1),
};

export interface OpenPgpVectors {
  order_key_rotation: { old_key: string; statement: object; signed_text: string; signature: string };
  revocations: { order_key: string; statement: object; signed_text: string; signature: string };
  orders: { order_key: string; operator_key: string; signed: { manifest: string; signatures: string[] }[] };
}

/** Made anew, with new keys: only where what they sign has changed. */
export async function makeOpenPgpVectors(): Promise<OpenPgpVectors> {
  const [old, next] = await Promise.all([
    generateOrderKey({ userId: 'penguindome-server', createdAt: AT }),
    generateOrderKey({ userId: 'penguindome-server', createdAt: AT }),
  ]);
  const rotation = {
    type: ORDER_ROTATION_TYPE,
    number: 1,
    old_fingerprint: old.fingerprint,
    new_fingerprint: next.fingerprint,
    new_key: next.publicKey,
    made_at: AT.toISOString(),
  };
  const at = AT.toISOString();
  const list = {
    type: REVOCATIONS_TYPE,
    number: 1,
    made_at: at,
    revoked: [
      { kind: 'order', fingerprint: old.fingerprint, at, why: 'replaced' },
      { kind: 'host', fingerprint: keys.host.id, at, why: 'laptop stolen' },
    ],
  };
  const signed = async (statement: object, by: typeof old) => {
    const signed_text = canonicalJson(statement);
    return { statement, signed_text, signature: await signDetached(by.secretKey, signed_text, AT) };
  };
  return {
    order_key_rotation: { old_key: old.publicKey, ...(await signed(rotation, old)) },
    revocations: { order_key: next.publicKey, ...(await signed(list, next)) },
    orders: await makeOrderVectors(),
  };
}

/** Each by the server's key, the last by an operator's, too. */
export async function makeOrderVectors(): Promise<OpenPgpVectors['orders']> {
  const [server, operator] = await Promise.all([
    generateOrderKey({ userId: 'penguindome-server', createdAt: AT }),
    generateOrderKey({ userId: 'alice', createdAt: AT }),
  ]);
  const manifests = manifestsOfVectors().map(writeManifest);
  const signed = await Promise.all(
    manifests.map(async (manifest, index) => {
      const signers = index === manifests.length - 1 ? [server, operator] : [server];
      const signatures = await Promise.all(signers.map(({ secretKey }) => signDetached(secretKey, manifest, AT)));
      return { manifest, signatures };
    }),
  );
  return { order_key: server.publicKey, operator_key: operator.publicKey, signed };
}

/** What the signed manifests say. */
export function manifestsOfVectors(): Manifest[] {
  const common = {
    type: ORDER_TYPE,
    made_at: AT.toISOString(),
    expires_at: '2026-12-07T12:00:00.000Z',
    by: 'alice (sudo)',
  } as const;
  const targets = [{ host_id: HOST_ID, hostname: 'penguin' }];
  // the SHA-256 of the line `#!/bin/sh` and the line `echo hello`
  const sha256 = contentHex('#!/bin/sh\necho hello\n');
  const id = (last: string) => `019ab0c4-5e00-7000-8000-0000000001${last}`;
  return [
    {
      ...common,
      id: id('01'),
      kind: 'command',
      targets,
      files: [{ path: 'commands/hello', mode: 0o755, sha256, size: 21 }],
      timeout: 600,
      not_before: '2026-11-23T20:00:00.000Z',
      why: 'say “hello” – once',
    },
    {
      ...common,
      id: id('02'),
      kind: 'patch',
      targets,
      files: [{ path: 'plugins/hello', mode: 0o755, sha256, size: 21 }],
      removed: ['settings/old.yml'],
      why: '',
    },
    { ...common, id: id('03'), kind: 'release', targets: 'all', files: [], number: 7, why: 'empty' },
    { ...common, id: id('04'), kind: 'settings', targets, files: [], wanted: { collect_interval: '5m' }, why: '' },
    { ...common, id: id('05'), kind: 'wipe', targets, files: [], method: 'crypto-erase', why: 'stolen' },
  ];
}

function contentHex(content: string): string {
  return Buffer.from(contentDigest(content).slice('sha-256=:'.length, -1), 'base64').toString('hex');
}

/** A chain, and what does not go on from its first receipt. */
function receiptVectors() {
  let head = NO_RECEIPTS;
  const next = (order: string, event: 'accepted' | 'done', detail: string, from = head) => {
    const content = {
      ...{ number: from.number + 1, previous: from.hash, at: AT.toISOString(), order, kind: 'command' },
      ...{ event, by: 'alice (sudo)', why: 'say “hello” – once', detail },
    };
    return { ...content, hash: receiptHash(content) };
  };
  const order = '019ab0c4-5e00-7000-8000-000000000101';
  const chain = [];
  for (const [event, detail] of [
    ['accepted', ''],
    ['done', 'exit status 0'],
  ] as const) {
    const receipt = next(order, event, detail);
    chain.push(receipt);
    head = receipt;
  }
  const [first, second] = chain;
  if (first === undefined || second === undefined) throw new Error('no chain');
  const { hash: _, ...content } = first;
  return {
    hashed_text: canonicalJson(content),
    chain,
    refused: [
      { why: 'gap', receipts: [first, next(order, 'done', '', second)] },
      { why: 'fork', receipts: [first, next(order, 'done', '', { number: 1, hash: second.hash })] },
      { why: 'goes back', receipts: [first, second, first] },
      { why: 'altered', receipts: [{ ...first, by: 'mallory' }, second] },
    ],
  };
}

/** All of docs/vectors.json. */
export function buildVectors(openpgp: OpenPgpVectors) {
  const report = {
    'plugins.os_info': { distname: 'Debian GNU/Linux', version: '12' },
    'plugins.hd_encryption': 'unknown',
  };
  const digests: Record<string, Digest> = {};
  for (const [name, body] of Object.entries(report)) digests[name] = bodyDigest(body);
  const submit = request({
    submission: '019ab0c4-5e00-7000-8000-000000000002',
    chain: null,
    hostname: 'penguin',
    collected_at: '2026-11-23T11:59:30.000Z',
    digest: listDigest(digests),
    list: digests,
    bodies: Object.fromEntries(Object.entries(report).map(([name, body]) => [digests[name] ?? '', body])),
  });
  const ok = {
    status: 'ok',
    submission: '019ab0c4-5e00-7000-8000-000000000002',
    chain: 'q83vEjRWeJCrze8SNFZ4kA',
    epoch: EPOCH,
    time: AT.toISOString(),
  };
  const refusal = {
    error: 'replayed',
    reason: 'cannot take a sequence number again',
    time: ok.time,
    last: Number(SEQUENCE),
  };
  return {
    keys: Object.fromEntries(
      Object.entries(SEEDS).map(([name, seed]) => {
        const { publicKey, id } = keyOf(seed);
        return [name, { seed, public_key: publicKey, key_id: id }];
      }),
    ),
    bodies: [...Object.values(report), { b: [1.0, 1e21, -0], a: 'é€😀\u0000"\\', '\u20ac': null }].map((value) => ({
      value,
      canonical: canonicalJson(value),
      digest: bodyDigest(value),
    })),
    list: { list: digests, digest: listDigest(digests) },
    request: submit.shown,
    answer: answer(200, ok, submit, [{ key: keys.answer_0, label: LABEL }]),
    answer_in_overlap: answer(200, ok, submit, [
      { key: keys.answer_1, label: LABEL },
      { key: keys.answer_0, label: olderLabel(0) },
    ]),
    refusal: answer(409, refusal, submit, [{ key: keys.answer_0, label: LABEL }]),
    token: token(),
    answer_key_rotation: answerKeyRotation(),
    host_key_rotation: hostKeyRotation(),
    ...openpgp,
    receipts: receiptVectors(),
  };
}

function request(message: object) {
  const body = JSON.stringify(message);
  const parts = {
    method: 'POST',
    path: SUBMIT,
    authority: 'dome.example:8443',
    contentDigest: contentDigest(Buffer.from(body)),
    sequence: SEQUENCE,
  };
  const signed = signRequest(keys.host, parts, { created: SECONDS, nonce: 'AAECAwQFBgcICQoLDA0ODw' });
  const params = signed['signature-input'].slice(LABEL.length + 1);
  return {
    parts,
    signature: signed.bytes,
    shown: {
      line: `POST ${SUBMIT} HTTP/1.1`,
      headers: {
        host: parts.authority,
        'content-type': 'application/json',
        'content-digest': parts.contentDigest,
        'penguindome-sequence': SEQUENCE,
        'signature-input': signed['signature-input'],
        signature: signed.signature,
      },
      body,
      key: 'host',
      signature_base: signatureBase(REQUEST_COMPONENTS, requestValues(parts), params),
    },
  };
}

function answer(
  status: number,
  content: object,
  { parts: asked, signature }: ReturnType<typeof request>,
  signers: { key: SigningKey; label: string }[],
) {
  const body = JSON.stringify(content);
  const parts: AnswerParts = {
    status,
    contentDigest: contentDigest(Buffer.from(body)),
    request: { path: asked.path, contentDigest: asked.contentDigest, sequence: asked.sequence, signature },
  };
  const signed = signers.map(({ key, label }) => ({ label, ...signAnswer(key, parts, { created: SECONDS }, label) }));
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'content-digest': parts.contentDigest,
      'signature-input': signed.map((one) => one['signature-input']).join(', '),
      signature: signed.map((one) => one.signature).join(', '),
    },
    body,
    signatures: signed.map((one, index) => ({
      label: one.label,
      key: signers[index]?.key === keys.answer_0 ? 'answer_0' : 'answer_1',
      signature_base: signatureBase(
        ANSWER_COMPONENTS,
        answerValues(parts),
        one['signature-input'].slice(one.label.length + 1),
      ),
    })),
  };
}

function token() {
  const content = {
    secret: 'kZ1n5t2yGqS0z3v9w8xA7b6c5d4e3f2gkZ1n5t2yGqS',
    url: 'https://dome.example:8443',
    pin: 'ab'.repeat(32),
    answer_key: keys.answer_1.publicKey,
    answer_number: 1,
    order_key: '0123456789ABCDEF0123456789ABCDEF01234567',
  };
  return { content, text: encodeToken(content) };
}

function answerKeyRotation() {
  const until = new Date('2026-11-30T12:00:00.000Z');
  const rotation = signRotation({ number: 0, key: keys.answer_0 }, keys.answer_1, { madeAt: AT, overlapUntil: until });
  const times = { madeAt: AT, overlapUntil: until };
  const fork = signRotation({ number: 0, key: keys.answer_0 }, keys.host_next, times);
  const gap = signRotation({ number: 1, key: keys.answer_0 }, keys.answer_1, times);
  const back = signRotation({ number: 1, key: keys.answer_1 }, keys.answer_0, times);
  const long = signRotation({ number: 0, key: keys.answer_0 }, keys.answer_1, {
    ...times,
    overlapUntil: new Date('2027-11-23'),
  });
  return {
    old_key: 'answer_0',
    new_key: 'answer_1',
    signed_text: canonicalJson(rotation.statement),
    rotation,
    refused: [
      { why: 'goes back', known: [rotation], rotations: [] },
      { why: 'forks', known: [rotation], rotations: [fork] },
      { why: 'gap', known: [], rotations: [gap] },
      { why: 'goes back', known: [], rotations: [rotation, back] },
      { why: 'overlap', known: [], rotations: [long] },
      { why: 'signature', known: [], rotations: [{ ...rotation, signature: fork.signature }] },
    ],
  };
}

function hostKeyRotation() {
  const signed_text = rotationStatement({
    host_id: HOST_ID,
    old_key: keys.host.id,
    public_key: keys.host_next.publicKey,
  });
  const proof = Buffer.from(keys.host_next.sign(signed_text)).toString('base64');
  return { host_id: HOST_ID, old_key: 'host', new_key: 'host_next', signed_text, proof };
}
