import test from 'ava';
import { days } from '../../src/core/duration.ts';
import { type AnswerKeyRing, followRotations, keysIn, newestOf, onlyAnswerKey } from '../../src/crypto/answer-keys.ts';
import { generateSigningKey, loadSigningKey } from '../../src/crypto/ed25519.ts';
import {
  LARGEST_CHAIN,
  MOST_ROTATIONS,
  ROTATION_TYPE,
  readChain,
  type SignedRotation,
} from '../../src/wire/v2/answer-keys.ts';
import { canonicalJson } from '../../src/wire/v2/digest.ts';
import { rotated } from '../support/answer-keys.ts';

const AT = new Date('2026-11-23T12:00:00Z');
const start = onlyAnswerKey(loadSigningKey(generateSigningKey()));
const once = rotated(start, { madeAt: AT });
const twice = rotated(once, { madeAt: AT, overlap: days(1) });
const thrice = rotated(twice, { madeAt: AT });

const pinned = (keys: typeof start): AnswerKeyRing => ({
  first: { number: keys.newest.number, key: keys.newest.key.publicKey },
  rotations: [],
});
/** What somebody knows who pinned the first key and followed up to here. */
const knowing = (keys: typeof start): AnswerKeyRing => ({ ...pinned(start), rotations: keys.rotations });
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const first = ({ rotations: [link] }: typeof start): SignedRotation => {
  if (link === undefined) throw new Error('no rotation');
  return link;
};

test('a chain is followed from the pinned key to the newest, however far it is', (t) => {
  for (const known of [pinned(start), knowing(once), knowing(thrice), pinned(once), pinned(thrice)]) {
    const followed = followRotations(known, thrice.rotations);
    if (!followed.ok) return t.fail(followed.reason);
    t.deepEqual(newestOf(followed.ring), { number: 3, key: thrice.newest.key.publicKey });
    t.is(followed.ring.first, known.first);
  }
});

test('each key but the newest ends with its overlap', (t) => {
  t.deepEqual(
    keysIn(knowing(twice)).map(({ number, endedBy }) => [number, endedBy?.toISOString()]),
    [
      [2, undefined],
      [1, '2026-11-24T12:00:00.000Z'],
      [0, '2026-11-30T12:00:00.000Z'],
    ],
  );
});

/** The last link with other words, signed again by the key that may. */
function resigned(change: object, signer = once.newest.key): SignedRotation[] {
  const [one, two] = twice.rotations;
  if (one === undefined || two === undefined) return [];
  const statement = { ...two.statement, ...change };
  return [one, { statement, signature: Buffer.from(signer.sign(canonicalJson(statement))).toString('base64') }];
}

const stranger = onlyAnswerKey(loadSigningKey(generateSigningKey()));
const REFUSED: [what: string, ring: AnswerKeyRing, offered: readonly SignedRotation[], reason: RegExp][] = [
  ['nothing, where a rotation is known', knowing(once), [], /goes back: it ends at number 0, after number 1/],
  ['a shorter chain', knowing(twice), once.rotations, /goes back: it ends at number 1, after number 2/],
  [
    'another statement of a known number',
    knowing(once),
    rotated(start).rotations,
    /forks: .* two statements with number 1/,
  ],
  ['a fork below the newest', knowing(once), rotated(rotated(start)).rotations, /forks: .* number 1/],
  [
    'a chain without a middle link',
    pinned(start),
    [...once.rotations, ...thrice.rotations.slice(2)],
    /gap, or goes back, after number 1/,
  ],
  ['the same number twice', pinned(start), [...once.rotations, ...once.rotations], /gap, or goes back, after number 1/],
  ['a chain that begins too late', pinned(start), thrice.rotations.slice(1), /gap: it begins at number 2, after 0/],
  [
    "another server's chain",
    pinned(start),
    rotated(stranger).rotations,
    /forks: number 1 does not replace the key before/,
  ],
  [
    "another server's chain, for a later pin",
    pinned(once),
    rotated(rotated(stranger)).rotations,
    /another server's: number 1/,
  ],
  [
    'a link signed by the new key',
    pinned(start),
    resigned({}, twice.newest.key),
    /signature of number 2 does not verify/,
  ],
  [
    'a link with another new key than was signed',
    pinned(start),
    [
      ...once.rotations,
      {
        ...first(twice),
        statement: resigned({ new_key: stranger.newest.key.publicKey })[1]?.statement ?? first(once).statement,
      },
    ],
    /signature of number 2 does not verify/,
  ],
  [
    'a link back to a key that was replaced',
    pinned(start),
    resigned({ new_key: start.newest.key.publicKey }),
    /goes back: number 2 is a key that was replaced/,
  ],
  ['a link to the key itself', pinned(start), resigned({ new_key: once.newest.key.publicKey }), /goes back/],
  [
    'an overlap of years',
    pinned(start),
    resigned({ overlap_until: '2029-01-01T00:00:00.000Z' }),
    /overlap of number 2 is negative, or too long/,
  ],
  [
    'an overlap that ends before it begins',
    pinned(start),
    resigned({ overlap_until: '2026-11-22T00:00:00.000Z' }),
    /overlap/,
  ],
];

for (const [what, ring, offered, reason] of REFUSED) {
  test(`${what}: refused, with the reason`, (t) => {
    const followed = followRotations(ring, offered);
    t.false(followed.ok);
    if (!followed.ok) t.regex(followed.reason, reason);
  });
}

const link = first(once);
const UNREADABLE: [what: string, content: Uint8Array][] = [
  ['no JSON', Buffer.from('<html>')],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff])],
  ['no list', bytes({})],
  ['an unknown type', bytes({ rotations: [{ ...link, statement: { ...link.statement, type: `${ROTATION_TYPE}0` } }] })],
  ['a field that nobody knows', bytes({ rotations: [{ ...link, statement: { ...link.statement, more: 1 } }] })],
  ['number 0', bytes({ rotations: [{ ...link, statement: { ...link.statement, number: 0 } }] })],
  ['a number with a fraction', bytes({ rotations: [{ ...link, statement: { ...link.statement, number: 1.5 } }] })],
  ['a key of 31 bytes', bytes({ rotations: [{ ...link, statement: { ...link.statement, new_key: 'A'.repeat(40) } }] })],
  [
    'a key in another base64 form',
    bytes({ rotations: [{ ...link, statement: { ...link.statement, new_key: `${'A'.repeat(42)}B=` } }] }),
  ],
  [
    'a time without its milliseconds',
    bytes({ rotations: [{ ...link, statement: { ...link.statement, made_at: '2026-11-23T12:00:00Z' } }] }),
  ],
  ['too many rotations', bytes({ rotations: Array.from({ length: MOST_ROTATIONS + 1 }, () => link) })],
  ['too many bytes', Buffer.alloc(LARGEST_CHAIN + 1, 0x20)],
];

for (const [what, content] of UNREADABLE) {
  test(`${what}: not read as a chain`, (t) => {
    t.like(readChain(content), { ok: false });
  });
}

test('a chain of the most rotations is read, and fits', (t) => {
  let keys = start;
  for (let count = 0; count < MOST_ROTATIONS; count++) keys = rotated(keys);
  const read = readChain(bytes({ rotations: keys.rotations }));
  if (!read.ok) return t.fail(read.reason);
  t.true(followRotations(pinned(start), read.value).ok);
});
