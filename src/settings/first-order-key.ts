import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';

/** Made by `setup`; it stays through rotations. */
export const FIRST_ORDER_KEY = 'order-public.asc';
/** One block and nothing beside it: agents compare its fingerprint, and here openpgp need not be loaded for it. */
const ONE_PUBLIC_KEY =
  /^\s*-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:(?!-----)[^\n]*\n)+-----END PGP PUBLIC KEY BLOCK-----\s*$/;
const LARGEST = 32 * 1024;

/** The public half of the order key whose fingerprint agents pin when they enrol. @returns undefined where there is none. @throws OperatorError */
export async function readFirstOrderKey({ keys }: { keys: string }): Promise<string | undefined> {
  const file = join(keys, FIRST_ORDER_KEY);
  const armored = await readFile(file, 'utf8').catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new OperatorError(`cannot use ${file}: ${messageOf(cause)}`, { exitCode: 3, cause });
  });
  if (armored !== undefined && (armored.length > LARGEST || !ONE_PUBLIC_KEY.test(armored))) {
    throw new OperatorError(`cannot use ${file}: it is not one armored public key; \`penguindome setup\` makes it`, {
      exitCode: 3,
    });
  }
  return armored;
}
