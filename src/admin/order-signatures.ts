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

/** Who signed an order, and whether these signatures are genuine, by the server's order keys, `more` and the keyring of who asks. */
export async function judgeSignatures(
  context: AdminContext,
  { manifest, signatures }: Order,
  more = '',
): Promise<JudgedSignature[]> {
  const { keys } = await context.settings();
  const now = context.clock.now();
  const { first, statements } = await loadOrderKeys({ keys }, now);
  const revoked = (await loadRevocations({ keys }))?.statement ?? null;
  const known: { whose: string; kind: 'order' | 'operator'; keys: VerificationKeys }[] = [
    { whose: 'order key 0', kind: 'order', keys: await readPublicKeys(first.key) },
  ];
  for (const { statement } of statements) {
    known.push({
      whose: `order key ${statement.number}`,
      kind: 'order',
      keys: await readPublicKeys(statement.new_key),
    });
  }
  const signers = await Promise.all(signatures.map(signerOf));
  const strangers = signers.filter((by) => by !== undefined && !known.some((one) => holds(one.keys, by)));
  const found = await exportFromKeyring(
    strangers.flatMap((by) => by ?? []),
    context.signal,
  );
  for (const armored of [more, found]) {
    for (const key of armored === '' ? [] : await readPublicKeys(armored)) {
      known.push({ whose: key.getUserIDs()[0] ?? 'a key without a name', kind: 'operator', keys: [key] });
    }
  }
  return Promise.all(
    signatures.map(async (armoredSignature, index): Promise<JudgedSignature> => {
      const by = signers[index];
      const unknown = { by: by ?? 'nobody', whose: 'not known here', fingerprint: null };
      if (by === undefined) return { ...unknown, fault: 'the signature cannot be read' };
      const one = known.find(({ keys: some }) => holds(some, by));
      if (one === undefined) return { ...unknown, fault: 'its key is not known here; say --key FILE' };
      const fingerprint =
        one.keys
          .find((key) => holds([key], by))
          ?.getFingerprint()
          .toUpperCase() ?? null;
      const told = { by, whose: one.whose, fingerprint };
      if (fingerprint !== null && isRevoked(revoked, one.kind, fingerprint))
        return { ...told, fault: 'its key is revoked' };
      const maxAge = Number.POSITIVE_INFINITY;
      const verdict = await verifyDetached({ armoredSignature, data: manifest, keys: one.keys, now, maxAge });
      return verdict.ok ? told : { ...told, fault: verdict.reason };
    }),
  );
}

function holds(keys: VerificationKeys, keyId: string): boolean {
  return keys.some((key) => key.getKeys().some((one) => one.getKeyID().toHex().toUpperCase() === keyId));
}
