import { readFileSync } from 'node:fs';
import test from 'ava';
import { days, minutes } from '../../src/core/duration.ts';
import { generateOrderKey } from '../../src/crypto/openpgp.ts';
import { isRevoked, type OrderTrust, takeOrderKey, takeRevocations } from '../../src/crypto/order-trust.ts';
import { canonicalJson } from '../../src/wire/v2/digest.ts';
import { ORDER_ROTATION_TYPE, type OrderKeyStatement, readOrderKeyStatement } from '../../src/wire/v2/order-key.ts';
import {
  MOST_REVOCATIONS,
  REVOCATIONS_TYPE,
  type Revocation,
  type RevocationStatement,
  readRevocations,
} from '../../src/wire/v2/revocations.ts';
import { gpgHome, hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import { signDetached } from '../support/openpgp.ts';

const NOW = new Date();
type Key = Awaited<ReturnType<typeof generateOrderKey>>;
const newKey = (userId: string) => generateOrderKey({ userId, createdAt: new Date(NOW.getTime() - days(1)) });
const [first, second, third, operator, stranger] = await Promise.all(
  ['first', 'second', 'third', 'operator', 'stranger'].map(newKey),
);
if (!first || !second || !third || !operator || !stranger) throw new Error('no keys');

const trusting = (changes: Partial<OrderTrust> = {}): OrderTrust => ({
  order: { number: 0, fingerprint: first.fingerprint, key: first.publicKey },
  authorization: 'server',
  operators: [],
  revocations: null,
  ...changes,
});
const withOperator = (changes: Partial<OrderTrust> = {}) =>
  trusting({ authorization: 'operator', operators: [operator.publicKey], ...changes });

interface Signers {
  by?: Key;
  operator?: Key;
}

async function rotation(
  to: Key,
  from: Key,
  number: number,
  { by = from, operator: second }: Signers = {},
  changes = {},
) {
  const statement: OrderKeyStatement['statement'] = {
    type: ORDER_ROTATION_TYPE,
    number,
    old_fingerprint: from.fingerprint,
    new_fingerprint: to.fingerprint,
    new_key: to.publicKey,
    made_at: NOW.toISOString(),
    ...changes,
  };
  return signed(statement, by, second);
}

async function signed<T extends object>(statement: T, by: Key, second: Key | undefined) {
  const text = canonicalJson(statement);
  return {
    statement,
    signature: await signDetached(by.secretKey, text),
    ...(second === undefined ? {} : { operator_signature: await signDetached(second.secretKey, text) }),
  };
}

test('the next order key is taken on the word of the one before it, link by link', async (t) => {
  const one = await takeOrderKey(trusting(), await rotation(second, first, 1), NOW);
  if (!one.ok) return t.fail(one.reason);
  t.deepEqual(one.trust.order, { number: 1, fingerprint: second.fingerprint, key: second.publicKey });
  const two = await takeOrderKey(one.trust, await rotation(third, second, 2), NOW);
  t.like(two, { ok: true, changed: true });
  t.like(await takeOrderKey(one.trust, await rotation(second, first, 1), NOW), { ok: true, changed: false });
});

const after = (key: Key, number: number): OrderTrust =>
  trusting({ order: { number, fingerprint: key.fingerprint, key: key.publicKey } });
const ended = (kind: string, { fingerprint }: Key): OrderTrust['revocations'] => ({
  type: REVOCATIONS_TYPE,
  number: 1,
  made_at: NOW.toISOString(),
  revoked: [{ kind, fingerprint, at: NOW.toISOString(), why: 'stolen' }],
});

const ROTATIONS: [what: string, trust: OrderTrust, document: () => Promise<OrderKeyStatement>, reason: RegExp][] = [
  ['a number below', after(second, 2), () => rotation(third, first, 1), /go back: number 1, after 2/],
  ['a gap', trusting(), () => rotation(second, first, 2), /gap: number 2, after 0/],
  [
    'another key under a number that is known',
    after(second, 1),
    () => rotation(third, first, 1),
    /fork: number 1 is another key/,
  ],
  ['a link from another key', after(second, 1), () => rotation(third, first, 2), /fork: number 2 replaces another key/],
  [
    'a signature by a stranger',
    trusting(),
    () => rotation(second, first, 1, { by: stranger }),
    /order key's signature does not count/,
  ],
  [
    'a signature by the new key',
    trusting(),
    () => rotation(second, first, 1, { by: second }),
    /order key's signature does not count/,
  ],
  [
    'a secret key',
    trusting(),
    () => rotation(second, first, 1, {}, { new_key: second.secretKey }),
    /comes with its secret half/,
  ],
  [
    'a key that is not the one of its fingerprint',
    trusting(),
    () => rotation(second, first, 1, {}, { new_key: third.publicKey }),
    /not the one of its fingerprint/,
  ],
  [
    'two keys at once',
    trusting(),
    () => rotation(second, first, 1, {}, { new_key: second.publicKey + third.publicKey }),
    /cannot be read as one key/,
  ],
  [
    'garbage for a key',
    trusting(),
    () =>
      rotation(
        second,
        first,
        1,
        {},
        { new_key: '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----' },
      ),
    /cannot be read as one key/,
  ],
  ['the old key again', trusting(), () => rotation(first, first, 1), /the new order key is the old one/],
  [
    'a revoked key',
    trusting({ revocations: ended('order', second) }),
    () => rotation(second, first, 1),
    /new order key is revoked/,
  ],
  [
    'the word of a revoked key',
    trusting({ revocations: ended('order', first) }),
    () => rotation(second, first, 1),
    /order key that signed is revoked/,
  ],
  [
    'no operator where one is demanded',
    withOperator(),
    () => rotation(second, first, 1),
    /operator's signature is missing/,
  ],
  [
    "a stranger's signature for an operator's",
    withOperator(),
    () => rotation(second, first, 1, { operator: stranger }),
    /operator's signature does not count/,
  ],
  [
    "the server's own signature for an operator's",
    withOperator({ operators: [operator.publicKey, first.publicKey] }),
    () => rotation(second, first, 1, { operator: first }),
    /operator's signature does not count/,
  ],
  [
    "a revoked operator's signature",
    withOperator({ revocations: ended('operator', operator) }),
    () => rotation(second, first, 1, { operator }),
    /operator's signature does not count/,
  ],
];

for (const [what, trust, document, reason] of ROTATIONS) {
  test(`an order key with ${what} is refused, and the reason told`, async (t) => {
    const taken = await takeOrderKey(trust, await document(), NOW);
    t.false(taken.ok);
    if (!taken.ok) t.regex(taken.reason, reason);
  });
}

test('with an operator demanded, both signatures together count', async (t) => {
  t.like(await takeOrderKey(withOperator(), await rotation(second, first, 1, { operator }), NOW), { ok: true });
  t.like(await takeRevocations(withOperator(), await list(1, [], { operator }), NOW), { ok: true });
});

test('words that were changed after signing do not count', async (t) => {
  const good = await rotation(second, first, 1);
  const changed = { ...good, statement: { ...good.statement, made_at: '2020-01-01T00:00:00.000Z' } };
  t.like(await takeOrderKey(trusting(), changed, NOW), { ok: false });
});

const entry = (kind: string, fingerprint: string): Revocation => ({
  kind,
  fingerprint,
  at: NOW.toISOString(),
  why: 'lost',
});
const [A, B] = [entry('host', 'A'.repeat(43)), entry('operator', 'B'.repeat(40))];

const list = (number: number, revoked: Revocation[], signers: Signers = {}): Promise<RevocationStatement> => {
  const statement = { type: REVOCATIONS_TYPE, number, made_at: NOW.toISOString(), revoked } as const;
  return signed(statement, signers.by ?? first, signers.operator);
};

async function knowing(t: { fail(reason: string): void }, number: number, revoked: Revocation[]): Promise<OrderTrust> {
  const taken = await takeRevocations(trusting(), await list(number, revoked), NOW);
  if (!taken.ok) t.fail(taken.reason);
  return taken.ok ? taken.trust : trusting();
}

test('a list of revocations only grows, and its number rises', async (t) => {
  const trust = await knowing(t, 3, [A]);
  t.true(isRevoked(trust.revocations, 'host', A.fingerprint));
  t.false(isRevoked(trust.revocations, 'operator', B.fingerprint));
  const next = await takeRevocations(trust, await list(7, [B, A]), NOW);
  if (!next.ok) return t.fail(next.reason);
  t.true(isRevoked(next.trust.revocations, 'operator', B.fingerprint));
  t.like(await takeRevocations(trust, await list(3, [A]), NOW), { ok: true, changed: false });
});

const LISTS: [what: string, document: () => Promise<RevocationStatement>, reason: RegExp][] = [
  ['a lower number', () => list(2, [A, B]), /goes back: number 2, after 3/],
  ['the same number and other words', () => list(3, [A, B]), /forks: there are two with number 3/],
  ['an entry dropped', () => list(4, [B]), /drops, or changes, the host key AAAA/],
  ['an entry with another reason', () => list(4, [{ ...A, why: 'never mind' }]), /drops, or changes, the host key/],
  ['a key named twice', () => list(4, [A, B, B]), /names a key twice/],
  ['a signature by a stranger', () => list(4, [A], { by: stranger }), /order key's signature does not count/],
];

for (const [what, document, reason] of LISTS) {
  test(`a list of revocations with ${what} is refused, and the reason told`, async (t) => {
    const taken = await takeRevocations(await knowing(t, 3, [A]), await document(), NOW);
    t.false(taken.ok);
    if (!taken.ok) t.regex(taken.reason, reason);
  });
}

test('a list may end the key that signed it, which then signs nothing more', async (t) => {
  const taken = await takeRevocations(trusting(), await list(1, [entry('order', first.fingerprint)]), NOW);
  if (!taken.ok) return t.fail(taken.reason);
  const next = await takeRevocations(taken.trust, await list(2, [entry('order', first.fingerprint), A]), NOW);
  t.deepEqual(next, { ok: false, reason: 'the order key that signed is revoked' });
});

whenPresent(hasGpg, 'an operator with the real gpg: no /usr/bin/gpg')(
  "an operator's signature may come from gpg",
  async (t) => {
    const gpg = await gpgHome(t);
    await gpg(['--quick-generate-key', 'operator', 'ed25519', 'default', '0']);
    const operators = [await gpg(['--armor', '--export', 'operator'])];
    const document = await rotation(second, first, 1);
    const operator_signature = await gpg(['--armor', '--detach-sign'], canonicalJson(document.statement));
    const later = new Date(NOW.getTime() + minutes(1));
    const taken = await takeOrderKey(withOperator({ operators }), { ...document, operator_signature }, later);
    t.like(taken, { ok: true }, taken.ok ? '' : taken.reason);
  },
);

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

test('what is no such statement is not read, with a reason that quotes nothing of it', async (t) => {
  const good = await list(1, [A]);
  t.deepEqual(readRevocations(bytes(good)), { ok: true, value: good });
  const withEntry = (one: object) => bytes({ ...good, statement: { ...good.statement, revoked: [one] } });
  for (const wrong of [
    Buffer.from('evil-text'),
    Buffer.from([0xff, 0x00]),
    bytes({ ...good, more: 'evil-text' }),
    bytes({ ...good, signature: 'evil-text' }),
    bytes({ ...good, statement: { ...good.statement, type: 'evil-text' } }),
    bytes({ ...good, statement: { ...good.statement, number: 0 } }),
    bytes({ ...good, statement: { ...good.statement, 'evil-text': 1 } }),
    bytes({
      ...good,
      statement: { ...good.statement, revoked: Array.from({ length: MOST_REVOCATIONS + 1 }, () => A) },
    }),
    withEntry({ ...A, fingerprint: 'evil-text' }),
    withEntry({ ...A, kind: 'order' }),
    withEntry({ ...A, why: 'x'.repeat(501) }),
    Buffer.alloc(4 * 1024 * 1024 + 1, 0x20),
  ]) {
    const read = readRevocations(wrong);
    t.false(read.ok);
    if (read.ok) continue;
    t.regex(read.reason, /^the list of revocations (is no JSON|holds more|cannot be read)/);
    t.notRegex(read.reason, /evil-text/);
  }
  t.true(readRevocations(withEntry({ ...A, kind: 'some-day', fingerprint: 'x' })).ok, 'a kind that is not known yet');
  const document = await rotation(second, first, 1);
  t.deepEqual(readOrderKeyStatement(bytes(document)), { ok: true, value: document });
  t.false(readOrderKeyStatement(bytes({ ...document, statement: { ...document.statement, new_key: 'none' } })).ok);
});

test("the original's RSA key can be an order key too", async (t) => {
  const key = readFileSync('test/fixtures/penguindome-v1/server-public.asc', 'utf8');
  const { fingerprintOf } = await import('../../src/crypto/openpgp.ts');
  const document = await rotation({ ...second, publicKey: key, fingerprint: await fingerprintOf(key) }, first, 1);
  t.like(await takeOrderKey(trusting(), document, NOW), { ok: true, changed: true });
});
