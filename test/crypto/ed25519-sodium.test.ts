import test from 'ava';
import fc from 'fast-check';
import * as openssl from '../../src/crypto/ed25519.ts';
import * as sodium from '../../src/crypto/ed25519-sodium.ts';
import { rounds } from '../support/soak.ts';

/** RFC 8032 section 7.1: TEST 1, TEST 2, TEST 3. */
const VECTORS = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];

/** RFC 8410 section 7: PKCS #8 of a seed. */
function pemOf(seed: string): string {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')]);
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
}

for (const [name, ed25519] of Object.entries({ openssl, sodium })) {
  test(`${name} signs and verifies as RFC 8032 section 7.1 says`, (t) => {
    for (const { seed, publicKey, message, signature } of VECTORS) {
      const key = ed25519.loadSigningKey(pemOf(seed));
      t.is(Buffer.from(key.publicKey, 'base64').toString('hex'), publicKey);
      t.is(Buffer.from(key.sign(Buffer.from(message, 'hex'))).toString('hex'), signature);
      const verifier = ed25519.importPublicKey(key.publicKey);
      t.true(verifier.verify(Buffer.from(message, 'hex'), Buffer.from(signature, 'hex')));
      t.false(verifier.verify(Buffer.from(`${message}00`, 'hex'), Buffer.from(signature, 'hex')));
    }
  });

  test(`${name} takes no signature of another length, and no other key`, (t) => {
    const key = ed25519.loadSigningKey(openssl.generateSigningKey());
    const verifier = ed25519.importPublicKey(key.publicKey);
    const signature = key.sign('text');
    t.true(verifier.verify('text', signature));
    for (const length of [0, 63, 65, 128]) {
      t.false(verifier.verify('text', Buffer.concat([signature, Buffer.alloc(64)]).subarray(0, length)));
    }
    const { publicKey } = openssl.loadSigningKey(openssl.generateSigningKey());
    t.false(ed25519.importPublicKey(publicKey).verify('text', signature));
    t.throws(() => ed25519.importPublicKey('AAAA'), { message: /32 bytes/ });
    t.throws(() => ed25519.loadSigningKey('no key'));
  });

  test(`${name} refuses a signature whose S is not reduced (RFC 8032 section 5.1.7)`, (t) => {
    const key = ed25519.loadSigningKey(openssl.generateSigningKey());
    const signature = Buffer.from(key.sign('text'));
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const raised = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order;
    Buffer.from(raised.toString(16).padStart(64, '0'), 'hex').reverse().copy(signature, 32);
    t.false(ed25519.importPublicKey(key.publicKey).verify('text', signature));
  });
}

test('a key of small order, whose signatures anybody can make, verifies nothing by libsodium', (t) => {
  // the neutral element, with R the same and S = 0
  const neutral = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);
  const signature = Buffer.concat([neutral, Buffer.alloc(32)]);
  t.false(sodium.importPublicKey(neutral.toString('base64')).verify('text', signature));
});

test('both make the same signatures, and take and refuse the same changed ones', (t) => {
  const pem = openssl.generateSigningKey();
  const [one, other] = [openssl.loadSigningKey(pem), sodium.loadSigningKey(pem)];
  t.is(other.id, one.id);
  const [byOpenssl, bySodium] = [openssl.importPublicKey(one.publicKey), sodium.importPublicKey(one.publicKey)];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(63), fc.nat(255), (message, at, to) => {
      const signature = one.sign(message);
      t.deepEqual(Buffer.from(other.sign(message)), Buffer.from(signature));
      const changed = Uint8Array.from(signature);
      changed[at] = to;
      const same = changed.every((byte, index) => byte === signature[index]);
      t.is(bySodium.verify(message, changed), same);
      t.is(byOpenssl.verify(message, changed), same);
    }),
    { numRuns: rounds(500, 10_000) },
  );
});
