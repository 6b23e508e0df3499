import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';
import { fingerprintOf, publicHalves } from '../crypto/openpgp.ts';

/** Made by `setup`; it stays through rotations. */
const FIRST_ORDER_KEY = 'order-public.asc';

/** The public half of the order key whose fingerprint agents pin when they enrol. @returns undefined where there is none. @throws OperatorError */
export async function readFirstOrderKey({ keys }: { keys: string }): Promise<string | undefined> {
  const file = join(keys, FIRST_ORDER_KEY);
  try {
    const armored = await readFile(file, 'utf8');
    await fingerprintOf(armored);
    return await publicHalves(armored);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new OperatorError(`cannot use ${file}: ${messageOf(cause)}`, { exitCode: 3, cause });
  }
}
