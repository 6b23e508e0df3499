import { createMessage, readPrivateKey, sign } from 'openpgp';
import { days } from '../../src/core/duration.ts';
import { generateOrderKey } from '../../src/crypto/openpgp.ts';

/** A fleet's key, old enough to have signed last week. (The recorded client's own is younger than some of the tests' signatures.) */
export const fleetKey = await generateOrderKey({
  userId: 'penguindome-client',
  createdAt: new Date(Date.now() - days(30)),
});

/** Signs as the original client does: a detached signature over the bytes of `data`. */
export async function signV1(data: string, options: { key?: string; at?: Date } = {}): Promise<string> {
  const signingKeys = await readPrivateKey({ armoredKey: options.key ?? fleetKey.secretKey });
  return sign({
    message: await createMessage({ binary: new TextEncoder().encode(data) }),
    signingKeys,
    detached: true,
    ...(options.at === undefined ? {} : { date: options.at }),
  });
}

/** The form that the original client posts. */
export async function v1Form(
  message: unknown,
  options: { key?: string; at?: Date; signature?: string } = {},
): Promise<string> {
  const data = typeof message === 'string' ? message : JSON.stringify(message);
  const signature = options.signature ?? (await signV1(data, options));
  return new URLSearchParams({ data, signature }).toString();
}

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
