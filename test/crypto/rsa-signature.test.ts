import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { createMessage, generateKey, readPrivateKey, readSignature, SignaturePacket, sign, verify } from 'openpgp';
import { readPublicKeys, type VerificationKeys } from '../../src/crypto/openpgp.ts';
import { isGenuineRsa } from '../../src/crypto/rsa-signature.ts';
import { readPlainArmor } from '../../src/crypto/signature-armor.ts';
import { FUZZ } from '../support/fuzz.ts';
import { type Gpg, gpgHome, hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import { rounds } from '../support/soak.ts';

const withGpg = whenPresent(hasGpg, 'RSA signatures of the real gpg: no /usr/bin/gpg');
const FIXTURES = 'test/fixtures/penguindome-v1';
const form = new URLSearchParams(readFileSync(join(FIXTURES, '01-update.body'), 'utf8'));
const recorded = {
  data: Buffer.from(form.get('data') ?? ''),
  armored: form.get('signature') ?? '',
  keys: await readPublicKeys(readFileSync(join(FIXTURES, 'client-public.asc'), 'utf8')),
};

/** What openpgp alone says of a signature, and what we do. */
async function bothSay(binarySignature: Uint8Array, data: Uint8Array, keys: VerificationKeys) {
  const read = () => readSignature({ binarySignature }).catch(() => undefined);
  const packet = (await read())?.packets[0];
  const signer =
    packet instanceof SignaturePacket ? keys.find((key) => key.getKeys(packet.issuerKeyID).length > 0) : undefined;
  const quick =
    packet instanceof SignaturePacket && signer !== undefined ? await isGenuineRsa(packet, data, signer) : false;
  return { quick, openpgp: await openpgpSays(await read(), data, keys) };
}

async function openpgpSays(
  signature: Awaited<ReturnType<typeof readSignature>> | undefined,
  data: Uint8Array,
  keys: VerificationKeys,
): Promise<boolean> {
  if (signature === undefined) return false;
  const message = await createMessage({ binary: data });
  try {
    const verificationKeys = [...keys];
    const { signatures } = await verify({ message, signature, verificationKeys, date: null, format: 'binary' });
    return (await signatures[0]?.verified) ?? false;
  } catch {
    return false;
  }
}

const bytesOf = (armored: string) => readPlainArmor(armored) ?? new Uint8Array();

test('a genuine signature of a v1 client is found genuine without asking openpgp', async (t) => {
  t.deepEqual(await bothSay(bytesOf(recorded.armored), recorded.data, recorded.keys), { quick: true, openpgp: true });
});

test('no change to a signature or to what it signs is accepted that openpgp refuses', async (t) => {
  const good = bytesOf(recorded.armored);
  const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.constantFrom('flip', 'cut', 'put'));
  const seen = { genuine: 0, refused: 0 };
  const changed = (bytes: Uint8Array, [at, by, kind]: [number, number, string]) => {
    const out = [...bytes];
    const place = at % Math.max(1, out.length);
    if (kind === 'flip') out[place] = (out[place] ?? 0) ^ by;
    else out.splice(place, kind === 'cut' ? 1 : 0, ...(kind === 'put' ? [by] : []));
    return Uint8Array.from(out);
  };
  // Where most of what is read stands: before the RSA number.
  const early = fc.tuple(
    fc.nat(50),
    fc.integer({ min: 1, max: 255 }),
    fc.constantFrom('flip', 'flip', 'flip', 'cut', 'put'),
  );
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(change, early), { maxLength: 2 }),
        fc.option(change, { freq: 8 }),
        async (changes, onData) => {
          const signature = changes.reduce(changed, good);
          const data = onData === null ? recorded.data : changed(recorded.data, onData);
          const said = await bothSay(signature, data, recorded.keys);
          seen[said.openpgp ? 'genuine' : 'refused']++;
          return !said.quick || said.openpgp;
        },
      ),
      { ...FUZZ, numRuns: rounds(1500, 100_000) },
    ),
  );
  t.true(seen.genuine > 0 && seen.refused > 0, JSON.stringify(seen));
});

test('armor that is read without openpgp holds what openpgp reads in it', async (t) => {
  const piece = fc.constantFrom('', '\n', '\r\n', ' ', '=', '==', '-', 'A', 'Comment: x\n', 'Hash: SHA1\n', '\t', 'ä');
  let plain = 0;
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), piece, fc.nat(5)), { maxLength: 2 }),
        fc.constantFrom('\n', '\r\n'),
        async (changes, end) => {
          let armored = recorded.armored.replaceAll('\n', end);
          for (const [at, put, cut] of changes) {
            const place = at % armored.length;
            armored = armored.slice(0, place) + put + armored.slice(place + cut);
          }
          const bytes = readPlainArmor(armored);
          if (bytes === undefined) return true;
          plain++;
          const read = (from: ReturnType<typeof readSignature>) =>
            from.then(({ packets }) => Buffer.from(packets.write()).toString('hex')).catch(() => 'cannot be read');
          const both = [readSignature({ armoredSignature: armored }), readSignature({ binarySignature: bytes })];
          const [ours, theirs] = await Promise.all(both.map(read));
          return ours === theirs;
        },
      ),
      { ...FUZZ, numRuns: rounds(1500, 100_000) },
    ),
  );
  t.true(plain > 20);
});

async function gpgKey(t: ExecutionContext, algorithm: string): Promise<Gpg> {
  const gpg = await gpgHome(t);
  await gpg(['--quick-generate-key', 'somebody', algorithm, 'default', '0']);
  return gpg;
}

const exported = async (gpg: Gpg) => readPublicKeys(await gpg(['--armor', '--export', 'somebody']));

for (const hash of ['SHA256', 'SHA384', 'SHA512']) {
  withGpg(`a signature by gpg over ${hash} needs no openpgp, over any text and by a subkey`, async (t) => {
    const gpg = await gpgKey(t, 'rsa2048');
    const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(await gpg(['--with-colons', '--fingerprint', 'somebody']))?.[1];
    for (const data of ['{"a": 1}', '', 'ä€😀\r\n\n\u0000']) {
      const armored = await gpg(['--digest-algo', hash, '--armor', '--detach-sign'], data);
      const said = await bothSay(bytesOf(armored), Buffer.from(data), await exported(gpg));
      t.deepEqual(said, { quick: true, openpgp: true });
    }
    await gpg(['--quick-add-key', fingerprint ?? '', 'rsa2048', 'sign', '0']);
    const bySubkey = await gpg(['--digest-algo', hash, '--armor', '--detach-sign'], 'x');
    const said = await bothSay(bytesOf(bySubkey), Buffer.from('x'), await exported(gpg));
    t.deepEqual(said, { quick: true, openpgp: true });
  });
}

test('a signature whose number begins with zeros, and is shorter for it, needs no openpgp', async (t) => {
  const { privateKey: armoredKey } = await generateKey({ userIDs: [{ name: 'somebody' }], type: 'rsa', rsaBits: 2048 });
  const signingKeys = await readPrivateKey({ armoredKey });
  const lengths = new Set<number>();
  // One in 256 is a byte shorter.
  for (let count = 0; count < 10_000 && lengths.size < 2; count++) {
    const data = Buffer.from(String(count));
    const message = await createMessage({ binary: data });
    const armored = await sign({ message, signingKeys, detached: true });
    const packet = (await readSignature({ armoredSignature: armored })).packets[0];
    const length = bytesOf(armored).length;
    if (!(packet instanceof SignaturePacket) || lengths.has(length)) continue;
    lengths.add(length);
    t.deepEqual(await bothSay(bytesOf(armored), data, [signingKeys.toPublic()]), { quick: true, openpgp: true });
  }
  t.is(lengths.size, 2);
});

/** What gpg signs with these, and what is then said of it. */
const NOT_ORDINARY: Record<string, { args: string[]; openpgp: boolean }> = {
  'over SHA-224': { args: ['--digest-algo', 'SHA224'], openpgp: true },
  'over SHA-1': { args: ['--digest-algo', 'SHA1'], openpgp: false },
  'over text': { args: ['--textmode'], openpgp: true },
  'with a critical notation that nobody knows': { args: ['--sig-notation', '!a@example.org=b'], openpgp: false },
};

for (const [kind, { args, openpgp }] of Object.entries(NOT_ORDINARY)) {
  withGpg(`a signature ${kind} is left to openpgp`, async (t) => {
    const gpg = await gpgKey(t, 'rsa2048');
    const armored = await gpg([...args, '--armor', '--detach-sign'], 'a\r\nb');
    const said = await bothSay(bytesOf(armored), Buffer.from('a\r\nb'), await exported(gpg));
    t.deepEqual(said, { quick: false, openpgp });
  });
}

withGpg('a signature with a notation that is not critical needs no openpgp', async (t) => {
  const gpg = await gpgKey(t, 'rsa2048');
  const armored = await gpg(['--sig-notation', 'a@example.org=b', '--armor', '--detach-sign'], 'x');
  const said = await bothSay(bytesOf(armored), Buffer.from('x'), await exported(gpg));
  t.deepEqual(said, { quick: true, openpgp: true });
});

withGpg('a signature from before its key was made, or from after the key had ended, is refused', async (t) => {
  const gpg = await gpgHome(t);
  const at = (time: string) => ['--faked-system-time', time, '--ignore-time-conflict', '--ignore-valid-from'];
  await gpg([...at('20240101T000000'), '--quick-generate-key', 'somebody', 'rsa2048', 'default', '2d']);
  const keys = await exported(gpg);
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(await gpg(['--with-colons', '--fingerprint', 'somebody']))?.[1];
  await gpg([...at('20240102T000000'), '--quick-set-expire', fingerprint ?? '', '0']);
  const said = async (time: string) => {
    const armored = await gpg([...at(time), '--armor', '--detach-sign'], 'x');
    return bothSay(bytesOf(armored), Buffer.from('x'), keys);
  };
  t.deepEqual(await said('20231201T000000'), { quick: false, openpgp: false });
  t.deepEqual(await said('20240102T000000'), { quick: true, openpgp: true });
  t.deepEqual(await said('20240104T000000'), { quick: false, openpgp: false });
});

withGpg('a signature by a key that is too weak is refused', async (t) => {
  const gpg = await gpgKey(t, 'rsa1024');
  const armored = await gpg(['--armor', '--detach-sign'], 'x');
  t.deepEqual(await bothSay(bytesOf(armored), Buffer.from('x'), await exported(gpg)), { quick: false, openpgp: false });
});
