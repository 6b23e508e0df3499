import { join } from 'node:path';
import { OperatorError } from '../core/errors.ts';
import { type GnupgKey, signWithGnupg } from '../crypto/gnupg.ts';
import { REVOCATIONS } from '../settings/order-key-files.ts';
import { canonicalJson } from '../wire/v2/digest.ts';
import { type RevocationList, type RevocationStatement, readRevocations } from '../wire/v2/revocations.ts';
import type { AdminContext } from './context.ts';
import { writeNew } from './ensure-files.ts';
import { ownerIn } from './is-root.ts';

/** @throws OperatorError for a list that hosts could not read */
export async function signRevocations(
  { clock, signal }: Pick<AdminContext, 'clock' | 'signal'>,
  statement: RevocationList,
  sign: (text: string) => Promise<string>,
  operator: GnupgKey | undefined,
): Promise<RevocationStatement> {
  const text = canonicalJson(statement);
  const document: RevocationStatement = { statement, signature: await sign(text) };
  if (operator !== undefined)
    document.operator_signature = await signWithGnupg(operator, text, () => clock.now(), signal);
  const read = readRevocations(new TextEncoder().encode(JSON.stringify(document)));
  if (!read.ok) throw new OperatorError(`cannot revoke that: ${read.reason}`);
  return read.value;
}

export async function writeRevocations(keys: string, document: RevocationStatement): Promise<void> {
  const owner = await ownerIn(keys);
  await writeNew(join(keys, REVOCATIONS), `${JSON.stringify(document, null, 1)}\n`, 0o644, owner);
}
