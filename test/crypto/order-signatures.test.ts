import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { createMessage, generateKey, readPrivateKey, reformatKey, revokeKey, sign } from 'openpgp';
import { days, minutes } from '../../src/core/duration.ts';
import { generateOrderKey } from '../../src/crypto/openpgp.ts';
import { verifyOrder } from '../../src/crypto/order-signatures.ts';
import type { OrderTrust } from '../../src/crypto/order-trust.ts';
import { MOST_SIGNATURES, ORDER_TYPE, readManifest, writeManifest } from '../../src/wire/v2/order.ts';
import { REVOCATIONS_TYPE } from '../../src/wire/v2/revocations.ts';
import { gpgHome, hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import { signDetached } from '../support/openpgp.ts';

const NOW = new Date();
const newKey = (userId: string) => generateOrderKey({ userId, createdAt: new Date(NOW.getTime() - days(1)) });
const [server, alice, bob, stranger] = await Promise.all(['server', 'alice', 'bob', 'stranger'].map(newKey));
if (!server || !alice || !bob || !stranger) throw new Error('no keys');

const ORDER = '01936b8a-7c00-7000-8000-000000000001';
const TEXT = writeManifest({
  type: ORDER_TYPE,
  id: ORDER,
  kind: 'wipe',
  method: 'lock',
  targets: [{ host_id: '01936b8a-7c00-7000-8000-000000000002', hostname: 'büro'.replace('ü', 'ue') }],
  files: [],
  made_at: NOW.toISOString(),
  expires_at: new Date(NOW.getTime() + days(7)).toISOString(),
  by: 'alice',
  why: 'stolen – „weg“',
});

const trusting = (changes: Partial<OrderTrust> = {}): OrderTrust => ({
  order: { number: 0, fingerprint: server.fingerprint, key: server.publicKey },
  authorization: 'server',
  operators: [alice.publicKey, bob.publicKey],
  revocations: null,
  ...changes,
});
const revoking = (...keys: { kind: string; fingerprint: string }[]): OrderTrust['revocations'] => ({
  type: REVOCATIONS_TYPE,
  number: 1,
  made_at: NOW.toISOString(),
  revoked: keys.map((key) => ({ ...key, at: NOW.toISOString(), why: 'lost' })),
});
const by = (key: { secretKey: string }, text = TEXT, date = NOW) => signDetached(key.secretKey, text, date);
const check = (signatures: string[], trust = trusting(), { text = TEXT, now = NOW } = {}) =>
  verifyOrder(text, signatures, trust, now);

test('the server and each operator count, once', async (t) => {
  const signatures = [await by(server), await by(alice), await by(bob)];
  t.deepEqual(await check(signatures), {
    server: true,
    operators: [alice.fingerprint, bob.fingerprint],
    faults: [],
  });
  t.deepEqual(await check([await by(alice)]), { server: false, operators: [alice.fingerprint], faults: [] });
  const twice = [await by(alice), await by(alice, TEXT, new Date(NOW.getTime() - minutes(1)))];
  t.deepEqual((await check([...twice, ...twice])).operators, [alice.fingerprint], 'a second approval is another key');
  const listedTwice = trusting({ operators: [alice.publicKey, alice.publicKey + bob.publicKey] });
  t.deepEqual((await check(twice, listedTwice)).operators, [alice.fingerprint]);
});

test('an altered manifest, a stranger, and what is no signature count for nothing', async (t) => {
  const nobody = { server: false, operators: [] };
  const signatures = [await by(server), await by(alice)];
  for (const text of [
    `${TEXT} `,
    TEXT.replace('lock', 'homes'),
    TEXT.normalize('NFD').replace('stolen', 'Stolen'),
    '',
  ]) {
    t.like(await check(signatures, trusting(), { text }), nobody, text.slice(0, 40));
  }
  t.like(await check([await by(stranger)]), nobody);
  const garbage = await check(['', 'x', server.publicKey, (await by(alice)) + (await by(bob))]);
  t.like(garbage, nobody);
  t.true(garbage.faults.length > 0);
  t.deepEqual(await check([]), { ...nobody, faults: [] });
});

test("the server's own key is no operator's, though trust.d lists it", async (t) => {
  const trust = trusting({ operators: [server.publicKey, alice.publicKey] });
  t.deepEqual(await check([await by(server), await by(server)], trust), { server: true, operators: [], faults: [] });
});

test('revoked keys do not count, by the list of revocations', async (t) => {
  const signatures = [await by(server), await by(alice), await by(bob)];
  const order = { kind: 'order', fingerprint: server.fingerprint };
  t.like(await check(signatures, trusting({ revocations: revoking(order) })), {
    server: false,
    operators: [alice.fingerprint, bob.fingerprint],
  });
  const operator = { kind: 'operator', fingerprint: alice.fingerprint };
  t.like(await check(signatures, trusting({ revocations: revoking(operator) })), {
    server: true,
    operators: [bob.fingerprint],
  });
  const asOrder = { kind: 'order', fingerprint: alice.fingerprint };
  t.deepEqual(
    (await check(signatures, trusting({ revocations: revoking(asOrder) }))).operators,
    [alice.fingerprint, bob.fingerprint],
    'each kind by itself',
  );
});

test('keys that are revoked by themselves, or have ended, do not count', async (t) => {
  const signature = await by(alice);
  const key = await readPrivateKey({ armoredKey: alice.secretKey });
  const { publicKey: revoked } = await revokeKey({ key, format: 'armored' });
  const faulty = await check([signature], trusting({ operators: [String(revoked)] }));
  t.deepEqual(faulty.operators, []);
  t.true(faulty.faults.length > 0);
  const { publicKey: ended } = await reformatKey({
    privateKey: key,
    userIDs: [{ name: 'alice' }],
    keyExpirationTime: days(2) / 1000,
    format: 'armored',
    date: key.getCreationTime(),
  });
  const trust = trusting({ operators: [String(ended)] });
  t.deepEqual((await check([signature], trust)).operators, [alice.fingerprint]);
  t.deepEqual((await check([signature], trust, { now: new Date(NOW.getTime() + days(2)) })).operators, []);
});

test('signatures older than any order that still counts do not count', async (t) => {
  const signature = await by(alice);
  t.deepEqual((await check([signature], trusting(), { now: new Date(NOW.getTime() + days(90)) })).operators, [
    alice.fingerprint,
  ]);
  t.deepEqual(await check([signature], trusting(), { now: new Date(NOW.getTime() + days(92)) }), {
    server: false,
    operators: [],
    faults: ['the signature is too old'],
  });
});

test('a subkey signs for its primary key, and is counted with it', async (t) => {
  const { privateKey, publicKey } = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'carol' }],
    subkeys: [{ sign: true }, { sign: true }],
    date: new Date(NOW.getTime() - days(1)),
    format: 'object',
  });
  const [one, other] = privateKey.subkeys;
  if (one === undefined || other === undefined) return t.fail();
  const signBy = async (signingKeyID: typeof one) =>
    String(
      await sign({
        message: await createMessage({ binary: Buffer.from(TEXT) }),
        signingKeys: privateKey,
        signingKeyIDs: [signingKeyID.getKeyID()],
        detached: true,
        format: 'armored',
        date: NOW,
      }),
    );
  const signatures = [await signBy(one), await signBy(other)];
  const primary = publicKey.getFingerprint().toUpperCase();
  const trust = trusting({ operators: [publicKey.armor()] });
  t.deepEqual(await check(signatures, trust), { server: false, operators: [primary], faults: [] });
  const lost = revoking({ kind: 'operator', fingerprint: other.getFingerprint().toUpperCase() });
  t.deepEqual(
    (await check([signatures[1] ?? ''], trusting({ operators: [publicKey.armor()], revocations: lost }))).operators,
    [],
  );
});

test('no more signatures are looked at than an order may have', async (t) => {
  const many = [...Array.from({ length: MOST_SIGNATURES }, () => 'x'), await by(alice)];
  t.deepEqual((await check(many)).operators, []);
});

const withGpg = whenPresent(hasGpg, 'orders against the real gpg: no /usr/bin/gpg');

withGpg('GnuPG verifies what openpgp.js signed, byte for byte, and refuses it altered', async (t) => {
  const gpg = await gpgHome(t);
  await gpg(['--import'], server.publicKey);
  const [manifest, signature, altered] = ['manifest', 'manifest.asc', 'altered'].map((name) => join(gpg.home, name));
  if (!manifest || !signature || !altered) return t.fail();
  await writeFile(manifest, TEXT);
  await writeFile(altered, TEXT.replace('lock', 'homes'));
  await writeFile(signature, await by(server));
  const status = await gpg(['--status-fd', '1', '--verify', signature, manifest]);
  t.regex(status, new RegExp(`VALIDSIG ${server.fingerprint} `));
  await t.throwsAsync(gpg(['--verify', signature, altered]), { message: /BAD signature/ });
});

withGpg('what an operator signs with GnuPG counts; not over text lines, nor with SHA-1', async (t) => {
  const gpg = await gpgHome(t);
  await gpg(['--quick-generate-key', 'operator', 'ed25519', 'sign', '0']);
  const operators = [await gpg(['--armor', '--export', 'operator'])];
  const sign = (...options: string[]) => gpg([...options, '--armor', '--detach-sign'], TEXT);
  const trust = trusting({ operators });
  const now = new Date();
  t.is((await check([await sign()], trust, { now })).operators.length, 1);
  t.deepEqual(await check([await sign('--textmode')], trust, { now }), {
    server: false,
    operators: [],
    faults: ['the signature is not one over bytes'],
  });
  t.deepEqual((await check([await sign('--digest-algo', 'SHA1')], trust, { now })).operators, []);
  t.true(readManifest(TEXT).ok);
});
