import test from 'ava';
import { generateKey } from 'openpgp';
import { days } from '../../src/core/duration.ts';
import { checkSignatures, openKeyring } from '../../src/crypto/order-signatures.ts';
import { signDetached } from '../support/openpgp.ts';

const NOW = new Date('2026-06-01T12:00:00.000Z');
const before = (milliseconds: number) => new Date(NOW.getTime() - milliseconds);

for (const [lasting, lasts, counts] of [
  ['that lasts', 0, true],
  ['that has expired since', 350, false],
] as const) {
  test(`a signature that says it is from before, by a subkey ${lasting}`, async (t) => {
    const { privateKey, publicKey } = await generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: [{ name: 'bob' }],
      date: before(days(400)),
      subkeys: [{ sign: true, keyExpirationTime: lasts * 24 * 3600, date: before(days(399)) }],
      format: 'armored',
    });
    const manifest = 'an order';
    const signature = await signDetached(privateKey, manifest, before(days(60)));
    const ring = await openKeyring({ order: null, former: [] }, [{ name: 'bob', keys: publicKey }]);
    const { signers, faults } = await checkSignatures({ manifest, signatures: [signature] }, ring, null, NOW);
    t.is(signers.length, counts ? 1 : 0);
    if (!counts) t.regex(faults[0] ?? '', /bob that signed has expired/);
  });
}
