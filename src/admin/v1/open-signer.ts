import { join } from 'node:path';
import { messageOf, OperatorError } from '../../core/errors.ts';
import { openV1Signer, type V1Signer } from '../../crypto/v1-signer.ts';
import type { AdminContext } from '../context.ts';
import { readIfThere } from '../ensure-files.ts';
import { EXIT } from '../exit-codes.ts';
import { SERVER_KEY } from '../original/plan-keys.ts';

/** The original server's key, which hosts with the original client trust. @throws OperatorError where it was not taken over, or cannot sign now */
export async function openSigner({ settings, clock }: Pick<AdminContext, 'settings' | 'clock'>): Promise<V1Signer> {
  const path = join((await settings()).keys, SERVER_KEY);
  const armored = await readIfThere(path);
  if (armored === undefined) {
    throw new OperatorError(
      `cannot sign for hosts that run the original client: there is no ${path}; \`penguindome migrate\` takes the original server's key over`,
      { exitCode: EXIT.notSetUp },
    );
  }
  try {
    const signer = await openV1Signer(armored);
    // An expired key fails here, before anything is made.
    await signer.detached(new Uint8Array(), clock.now());
    return signer;
  } catch (cause) {
    throw new OperatorError(`cannot sign with ${path}: ${messageOf(cause)}`, { exitCode: EXIT.notSetUp, cause });
  }
}
