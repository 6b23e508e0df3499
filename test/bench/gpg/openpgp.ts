/** crypto/openpgp.ts with gpg for a verifier (see verify.ts). */
import type { verifyDetached as ours } from '../../../src/crypto/openpgp.ts';
import { verifyByGpg } from './verify.ts';

export { fingerprintOf, generateOrderKey, readPublicKeys } from '../../../src/crypto/openpgp.ts';

export const verifyDetached: typeof ours = async ({ now }) => {
  await verifyByGpg();
  return { ok: true, keyFingerprint: 'BENCH', createdAt: now };
};
