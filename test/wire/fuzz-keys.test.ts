import test from 'ava';
import fc from 'fast-check';
import { followRotations, newestOf, onlyAnswerKey } from '../../src/crypto/answer-keys.ts';
import { generateSigningKey, keyIdOf, loadSigningKey } from '../../src/crypto/ed25519.ts';
import { fingerprintOf } from '../../src/crypto/openpgp.ts';
import { takeRevocations } from '../../src/crypto/order-trust.ts';
import { LARGEST_CHAIN, readChain } from '../../src/wire/v2/answer-keys.ts';
import { ANSWER_COMPONENTS, readAnswerSignatures } from '../../src/wire/v2/http-signature.ts';
import { readOrderKeyStatement } from '../../src/wire/v2/order-key.ts';
import { readRevocations } from '../../src/wire/v2/revocations.ts';
import { rotated } from '../support/answer-keys.ts';
import { rounds } from '../support/soak.ts';
import { makeOpenPgpVectors } from '../support/vectors.ts';

const RUNS = { numRuns: rounds(5000, 100_000) };

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** Some bytes of the real thing set to others, some dropped or doubled. */
function damaged(whole: Buffer): fc.Arbitrary<Buffer> {
  const edit = fc.record({
    at: fc.nat(whole.length - 1),
    how: fc.constantFrom('set', 'drop', 'double'),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('{}[]",:0129AZaz=+/'))),
    length: fc.nat(40),
  });
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) =>
    edits.reduce((bytes, { at, how, byte, length }) => {
      const [before, piece, after] = [
        bytes.subarray(0, at),
        bytes.subarray(at, at + length),
        bytes.subarray(at + length),
      ];
      if (how === 'set') return Buffer.concat([before, Buffer.from([byte]), bytes.subarray(at + 1)]);
      return Buffer.concat(how === 'drop' ? [before, after] : [before, piece, piece, after]);
    }, whole),
  );
}

/** JSON in the shape of a signed statement, with anything in its places. */
function shaped(type: string, fields: readonly string[]): fc.Arbitrary<Buffer> {
  const statement = fc
    .dictionary(fc.constantFrom(...fields, '__proto__'), fc.jsonValue({ maxDepth: 3 }))
    .map((one) => ({
      type,
      ...one,
    }));
  const signature = fc.oneof(fc.constant('-----BEGIN PGP SIGNATURE-----'), fc.jsonValue());
  return fc
    .oneof(
      fc.jsonValue(),
      fc.record({ statement, signature }),
      fc.record({ rotations: fc.array(fc.record({ statement, signature })) }),
    )
    .map(bytesOf);
}

const start = onlyAnswerKey(loadSigningKey(generateSigningKey()));
const chain = rotated(rotated(rotated(start)));
const pinned = { first: { number: 0, key: start.newest.key.publicKey }, rotations: [] };
const ids = new Set([start.newest.key.id, ...chain.rotations.map(({ statement }) => keyIdOf(statement.new_key))]);

test('whatever signatures an answer shows, reading them answers, and never gives more than four', (t) => {
  const params = `(${ANSWER_COMPONENTS.join(' ')});created=1;keyid="k"`;
  const member = fc.oneof(
    fc.constantFrom(`penguindome=${params}`, `penguindome-0=${params}`, `penguindome-1=${params}`, 'penguindome=?1'),
    fc.nat(20).map((number) => `penguindome-${number}=${params}`),
    fc.string({ unit: 'binary' }),
  );
  const signature = fc.oneof(
    fc.nat(20).map((number) => `penguindome${number === 0 ? '' : `-${number}`}=:AAAA:`),
    fc.string({ unit: 'binary' }),
  );
  const joined = (one: fc.Arbitrary<string>) => fc.array(one, { maxLength: 12 }).map((all) => all.join(', '));
  t.notThrows(() =>
    fc.assert(
      fc.property(joined(member), joined(signature), (a, b) => readAnswerSignatures(a, b).length <= 4),
      RUNS,
    ),
  );
});

test('whatever stands for a chain of answer keys, it leads to keys of the real one, or is refused with a reason', (t) => {
  const fields = ['number', 'old_key', 'new_key', 'made_at', 'overlap_until'];
  const input = fc.oneof(
    damaged(bytesOf({ rotations: chain.rotations })),
    shaped('penguindome-answer-key-rotation-1', fields),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(input, (bytes) => {
        const read = readChain(bytes);
        const followed = read.ok ? followRotations(pinned, read.value) : read;
        return followed.ok ? ids.has(keyIdOf(newestOf(followed.ring).key)) : followed.reason.startsWith('the ');
      }),
      RUNS,
    ),
  );
});

test('links of the real chain in any order and number lead to its keys, or are refused', (t) => {
  const links = fc.array(fc.constantFrom(...chain.rotations, ...rotated(start).rotations), { maxLength: 6 });
  const known = [
    pinned,
    { ...pinned, rotations: chain.rotations.slice(0, 2) },
    { ...pinned, rotations: chain.rotations },
  ];
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.constantFrom(...known), links, (ring, offered) => {
        const followed = followRotations(ring, offered);
        if (!followed.ok) return true;
        // never back, to the last link that is there, and without a gap
        const [before, after] = [newestOf(ring).number, newestOf(followed.ring).number];
        const last = offered.at(-1)?.statement.number ?? 0;
        return after >= before && after === last && followed.ring.rotations.length === after;
      }),
      { numRuns: rounds(1000, 20_000) },
    ),
  );
});

test('whatever stands for a statement about order keys, or a list of revocations, it is read or refused with a reason', (t) => {
  const read = [
    [
      readOrderKeyStatement,
      ['number', 'old_fingerprint', 'new_fingerprint', 'new_key', 'made_at'],
      'order-key-rotation',
    ],
    [readRevocations, ['number', 'made_at', 'revoked'], 'revocations'],
  ] as const;
  for (const [reader, fields, name] of read) {
    const input = fc.oneof(
      shaped(`penguindome-${name}-1`, fields),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    t.notThrows(() =>
      fc.assert(
        fc.property(input, (bytes) => {
          const one = reader(bytes);
          if (!one.ok) return one.reason.startsWith('the ');
          t.deepEqual(reader(bytesOf(one.value)), one);
          return true;
        }),
        RUNS,
      ),
    );
  }
});

test('what is larger than the limit is refused before it is looked at', (t) => {
  const large = Buffer.alloc(LARGEST_CHAIN + 1, 0x5b);
  t.like(readChain(large), { ok: false, reason: `the chain holds more than ${LARGEST_CHAIN} bytes` });
  // as deep as fits: nested lists must not end the program either
  t.like(readChain(Buffer.alloc(LARGEST_CHAIN, 0x5b)), { ok: false, reason: 'the chain is no JSON' });
});

test('a list of revocations that was damaged anywhere says the same as it was signed, or is refused', async (t) => {
  const { order_key, statement, signature } = (await makeOpenPgpVectors()).revocations;
  const order = { number: 0, fingerprint: await fingerprintOf(order_key), key: order_key };
  const trust = { order, authorization: 'server', operators: [], revocations: null } as const;
  const now = new Date('2026-11-24T00:00:00Z');
  const judge = async (bytes: Buffer) => {
    const read = readRevocations(bytes);
    return read.ok ? takeRevocations(trust, read.value, now) : read;
  };
  t.like(await judge(bytesOf({ statement, signature })), { ok: true });
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(damaged(bytesOf({ statement, signature })), async (bytes) => {
        const taken = await judge(bytes);
        if (taken.ok && 'trust' in taken) t.deepEqual(JSON.parse(JSON.stringify(taken.trust.revocations)), statement);
      }),
      { numRuns: rounds(300, 10_000) },
    ),
  );
});
