import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { days, hours, minutes } from '../../src/core/duration.ts';
import { fingerprintOf, generateOrderKey, readPublicKeys, verifyDetached } from '../../src/crypto/openpgp.ts';
import { type Gpg, gpgHome, hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';

const withGpg = whenPresent(hasGpg, 'OpenPGP against the real gpg: no /usr/bin/gpg');
const FIXTURES = 'test/fixtures/penguindome-v1';
const CLIENT = '3537D11D3941BF12ADE5E48315C1304966B47B97';

const SIGNED = [
  '01-update',
  '02-submit',
  '03-submit',
  '04-acknowledge_patch',
  '05-server_pipe_client_open',
  '09-submit',
];

function recorded(name: string) {
  const form = new URLSearchParams(readFileSync(join(FIXTURES, `${name}.body`), 'utf8'));
  return { data: form.get('data') ?? '', armoredSignature: form.get('signature') ?? '' };
}

const clientKeys = () => readPublicKeys(readFileSync(join(FIXTURES, 'client-public.asc'), 'utf8'));
/** Inside the hour after the recording. */
const RECORDED = new Date('2026-11-22T10:30:00Z');

for (const name of SIGNED) {
  test(`the recorded signature of ${name} verifies`, async (t) => {
    const verdict = await verifyDetached({
      ...recorded(name),
      keys: await clientKeys(),
      now: RECORDED,
      maxAge: days(1),
    });
    if (!verdict.ok) return t.fail(verdict.reason);
    t.is(verdict.keyFingerprint, CLIENT);
    t.true(Math.abs(RECORDED.getTime() - verdict.createdAt.getTime()) < hours(1));
  });
}

test('a changed byte is refused', async (t) => {
  const { data, armoredSignature } = recorded('02-submit');
  const keys = await clientKeys();
  const verdict = await verifyDetached({ data: `${data} `, armoredSignature, keys, now: RECORDED, maxAge: days(1) });
  t.false(verdict.ok);
});

test('a signature by a key that is not ours is refused', async (t) => {
  const keys = await readPublicKeys(readFileSync(join(FIXTURES, 'server-public.asc'), 'utf8'));
  const verdict = await verifyDetached({ ...recorded('02-submit'), keys, now: RECORDED, maxAge: days(1) });
  t.like(verdict, { ok: false, reason: 'Could not find signing key with key ID 15c1304966b47b97' });
});

test('age is judged both ways, and said to be the only fault', async (t) => {
  const keys = await clientKeys();
  const at = (now: Date, maxAge: number) => verifyDetached({ ...recorded('02-submit'), keys, now, maxAge });
  const exact = await at(RECORDED, days(1));
  if (!exact.ok) return t.fail(exact.reason);
  const made = exact.createdAt.getTime();
  t.like(await at(new Date(made + days(1)), days(1)), { ok: true });
  t.deepEqual(await at(new Date(made + days(1) + 1), days(1)), {
    ok: false,
    reason: 'the signature is too old',
    stale: true,
  });
  t.like(await at(new Date(made - days(1)), days(1)), { ok: true });
  t.deepEqual(await at(new Date(made - days(1) - 1), days(1)), {
    ok: false,
    reason: 'the signature is from the future',
    stale: true,
  });
  t.like(await at(new Date(made + days(3000)), days(3650)), { ok: true }, 'the key has ended since: it had not then');
});

test('garbage is refused, not thrown', async (t) => {
  const keys = await clientKeys();
  const { data, armoredSignature } = recorded('02-submit');
  const publicKey = readFileSync(join(FIXTURES, 'client-public.asc'), 'utf8');
  const empty = '-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n';
  const broken = armoredSignature.replace(/[A-Z]/g, 'A');
  const cut = armoredSignature.slice(0, 200);
  const long = `-----BEGIN PGP SIGNATURE-----\n\n${'A'.repeat(1_000_000)}\n-----END PGP SIGNATURE-----\n`;
  for (const wrong of ['', 'x', '\u0000', empty, broken, cut, long, publicKey, armoredSignature.repeat(2)]) {
    const verdict = await verifyDetached({ data, armoredSignature: wrong, keys, now: RECORDED, maxAge: days(1) });
    t.false(verdict.ok, wrong.slice(0, 80));
  }
});

test('every single-byte change of a signature is refused or leaves what it says as it was', async (t) => {
  const keys = await clientKeys();
  const { data, armoredSignature } = recorded('01-update');
  const original = await verifyDetached({ data, armoredSignature, keys, now: RECORDED, maxAge: days(1) });
  const lines = armoredSignature.trim().split('\n');
  const body = Buffer.from(lines.filter((line) => /^[A-Za-z0-9+/]+={0,2}$/.test(line)).join(''), 'base64');
  for (let index = 0; index < body.length; index += 3) {
    const changed = Buffer.from(body);
    changed[index] = (changed[index] ?? 0) ^ 0x15;
    const armored = `-----BEGIN PGP SIGNATURE-----\n\n${changed.toString('base64')}\n-----END PGP SIGNATURE-----\n`;
    const verdict = await verifyDetached({ data, armoredSignature: armored, keys, now: RECORDED, maxAge: days(1) });
    if (verdict.ok) t.deepEqual(verdict, original, `byte ${index}`);
  }
  t.true(original.ok);
});

interface Signed {
  gpg: Gpg;
  keys: Awaited<ReturnType<typeof readPublicKeys>>;
}

async function gpgKey(t: ExecutionContext, algorithm: string): Promise<Signed> {
  const gpg = await gpgHome(t);
  await gpg(['--quick-generate-key', 'somebody', algorithm, 'default', '0']);
  return { gpg, keys: await readPublicKeys(await gpg(['--armor', '--export', 'somebody'])) };
}

const verifyNow = ({ keys }: Signed, data: string, armoredSignature: string) =>
  verifyDetached({ data, armoredSignature, keys, now: new Date(), maxAge: hours(1) });

withGpg('Ed25519 signatures of the real gpg verify, over any text', async (t) => {
  const signed = await gpgKey(t, 'ed25519');
  for (const data of ['{"a": 1}', '', 'ä€😀\r\n\n\u0000']) {
    const armored = await signed.gpg(['--armor', '--detach-sign'], data);
    t.like(await verifyNow(signed, data, armored), { ok: true });
  }
});

for (const hash of ['SHA1', 'SHA224', 'RIPEMD160']) {
  withGpg(`a signature over ${hash} is refused`, async (t) => {
    const signed = await gpgKey(t, 'rsa2048');
    const armored = await signed.gpg(['--digest-algo', hash, '--armor', '--detach-sign'], 'text');
    t.deepEqual(await verifyNow(signed, 'text', armored), { ok: false, reason: 'the signature uses a weak hash' });
  });
}

withGpg('a text signature is refused: it would fit the same text with other line ends', async (t) => {
  const signed = await gpgKey(t, 'ed25519');
  const armored = await signed.gpg(['--textmode', '--armor', '--detach-sign'], 'a\nb');
  t.deepEqual(await verifyNow(signed, 'a\nb', armored), { ok: false, reason: 'the signature is not one over bytes' });
});

withGpg('two signatures in one are refused', async (t) => {
  const signed = await gpgKey(t, 'ed25519');
  await signed.gpg(['--quick-generate-key', 'else', 'ed25519', 'default', '0']);
  const armored = await signed.gpg(['-u', 'somebody', '-u', 'else', '--armor', '--detach-sign'], 'x');
  t.deepEqual(await verifyNow(signed, 'x', armored), { ok: false, reason: 'expected one signature, got 2' });
});

withGpg('an armored message, a clear-signed text and a key are no detached signature', async (t) => {
  const signed = await gpgKey(t, 'ed25519');
  for (const args of [['--sign'], ['--clear-sign'], ['--store']]) {
    t.like(await verifyNow(signed, 'x', await signed.gpg(['--armor', ...args], 'x')), { ok: false }, args.join());
  }
});

withGpg('a revoked key signs nothing', async (t) => {
  const signed = await gpgKey(t, 'ed25519');
  const armored = await signed.gpg(['--armor', '--detach-sign'], 'x');
  t.like(await verifyNow(signed, 'x', armored), { ok: true });
  const fingerprint = (await signed.gpg(['--with-colons', '--fingerprint', 'somebody'])).match(
    /^fpr:+([0-9A-F]{40}):/m,
  )?.[1];
  const prepared = join(signed.gpg.home, 'openpgp-revocs.d', `${fingerprint}.rev`);
  const certificate = readFileSync(prepared, 'utf8').replace(/^:-----BEGIN/m, '-----BEGIN');
  await signed.gpg(['--import'], certificate);
  const keys = await readPublicKeys(await signed.gpg(['--armor', '--export', 'somebody']));
  t.like(await verifyNow({ ...signed, keys }, 'x', armored), { ok: false });
});

withGpg('a signature with an end is refused after it', async (t) => {
  const signed = await gpgKey(t, 'ed25519');
  const armored = await signed.gpg(['--default-sig-expire', '2d', '--armor', '--detach-sign'], 'x');
  const at = (now: Date) =>
    verifyDetached({ data: 'x', armoredSignature: armored, keys: signed.keys, now, maxAge: days(9) });
  t.like(await at(new Date(Date.now() + days(1))), { ok: true });
  t.deepEqual(await at(new Date(Date.now() + days(3))), { ok: false, reason: 'the signature has expired' });
});

withGpg('gpg imports the order key, signs with it, and agrees on the fingerprint', async (t) => {
  const key = await generateOrderKey({ userId: 'penguindome-server', createdAt: new Date(Date.now() - minutes(5)) });
  t.regex(key.fingerprint, /^[0-9A-F]{40}$/);
  t.is(await fingerprintOf(key.publicKey), key.fingerprint);
  t.is(await fingerprintOf(key.secretKey), key.fingerprint);
  const gpg = await gpgHome(t);
  await gpg(['--import'], key.secretKey);
  t.true((await gpg(['--with-colons', '--list-secret-keys', 'penguindome-server'])).includes(`:${key.fingerprint}:`));
  const armored = await gpg(['--armor', '--detach-sign'], 'an order');
  const keys = await readPublicKeys(key.publicKey);
  t.like(await verifyNow({ gpg, keys }, 'an order', armored), { ok: true, keyFingerprint: key.fingerprint });
});

withGpg('gpg verifies what openpgp signs with the order key', async (t) => {
  const openpgp = await import('openpgp');
  const key = await generateOrderKey({ userId: 'penguindome-server', createdAt: new Date(Date.now() - minutes(5)) });
  const armored = await openpgp.sign({
    message: await openpgp.createMessage({ binary: Buffer.from('an order') }),
    signingKeys: await openpgp.readPrivateKey({ armoredKey: key.secretKey }),
    detached: true,
  });
  const gpg = await gpgHome(t);
  await gpg(['--import'], key.publicKey);
  const file = join(gpg.home, 'order');
  await writeFile(file, 'an order');
  await writeFile(`${file}.asc`, String(armored));
  t.true((await gpg(['--status-fd', '1', '--verify', `${file}.asc`, file])).includes(`VALIDSIG ${key.fingerprint}`));
  await writeFile(file, 'another order');
  await t.throwsAsync(gpg(['--verify', `${file}.asc`, file]));
});

test('only public halves are kept of secret keys, and several blocks are read', async (t) => {
  const both = ['client-secret.asc', 'server-public.asc'].map((name) => readFileSync(join(FIXTURES, name), 'utf8'));
  const keys = await readPublicKeys(both.join('\n'));
  t.deepEqual(
    keys.map((key) => key.isPrivate()),
    [false, false],
  );
  await t.throwsAsync(fingerprintOf(both.join('\n')), { message: 'expected one OpenPGP key, got 2' });
  await t.throwsAsync(readPublicKeys('no key here'), { message: 'cannot find an armored OpenPGP key' });
});
