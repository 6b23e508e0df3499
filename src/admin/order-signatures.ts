import type { Order } from '../core/order.ts';
import { exportFromKeyring } from '../crypto/gnupg.ts';
import { readPublicKeys, type VerificationKeys, verifyDetached } from '../crypto/openpgp.ts';
import { isRevoked } from '../crypto/order-trust.ts';
import { signerOf } from '../crypto/signer-of.ts';
import { loadOrderKeys, loadRevocations } from '../settings/order-key-files.ts';
import type { AdminContext } from './context.ts';

export interface JudgedSignature {
  /** the key that it says it is by: id, or fingerprint */
  by: string;
  /** `order key 0`, or the user id of an operator's key */
  whose: string;
  /** of the primary key */
  fingerprint: string | null;
  /** absent: it counts */
  fault?: string;
}

interface KnownKey {
  whose: string;
  kind: 'order' | 'operator';
  key: VerificationKeys[number];
}

/** Who signed an order, and whether these signatures are genuine, by the server's order keys, `more` and the keyring of who asks. */
export async function judgeSignatures(
  context: AdminContext,
  { manifest, signatures }: Order,
  more = '',
): Promise<JudgedSignature[]> {
  const { keys } = await context.settings();
  const now = context.clock.now();
  const revoked = (await loadRevocations({ keys }))?.statement ?? null;
  const signers = await Promise.all(signatures.map(signerOf));
  const own = await serverKeys(keys, now);
  const strangers = signers.flatMap((by) => (by === undefined || own.some((one) => isBy(one, by)) ? [] : [by]));
  const known = [...own, ...(await operatorKeys([more, await exportFromKeyring(strangers, context.signal)]))];
  return Promise.all(
    signatures.map(async (armoredSignature, index): Promise<JudgedSignature> => {
      const by = signers[index];
      const unknown = { by: by ?? 'nobody', whose: 'not known here', fingerprint: null };
      if (by === undefined) return { ...unknown, fault: 'the signature cannot be read' };
      const one = known.find((each) => isBy(each, by));
      if (one === undefined) return { ...unknown, fault: 'its key is not known here; say --key FILE' };
      const { whose, kind, key } = one;
      const told = { by, whose, fingerprint: key.getFingerprint().toUpperCase() };
      if (isRevoked(revoked, kind, told.fingerprint)) return { ...told, fault: 'its key is revoked' };
      const maxAge = Number.POSITIVE_INFINITY;
      const verdict = await verifyDetached({ armoredSignature, data: manifest, keys: [key], now, maxAge });
      return verdict.ok ? told : { ...told, fault: verdict.reason };
    }),
  );
}

async function serverKeys(keys: string, now: Date): Promise<KnownKey[]> {
  const { first, statements } = await loadOrderKeys({ keys }, now);
  const all = [first.key, ...statements.map(({ statement }) => statement.new_key)];
  const read = await Promise.all(all.map(readPublicKeys));
  return read.flatMap((some, number) => some.map((key) => ({ whose: `order key ${number}`, kind: 'order', key })));
}

async function operatorKeys(texts: readonly string[]): Promise<KnownKey[]> {
  const read = await Promise.all(texts.filter((text) => text !== '').map(readPublicKeys));
  return read.flat().map((key) => ({ whose: key.getUserIDs()[0] ?? 'a key without a name', kind: 'operator', key }));
}

function isBy({ key }: KnownKey, keyId: string): boolean {
  return key.getKeys().some((one) => one.getKeyID().toHex().toUpperCase() === keyId);
}
