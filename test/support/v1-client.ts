import { createMessage, readPrivateKey, sign } from 'openpgp';
import { fixtureClientKey } from './server.ts';

/** Signs as the original client does: a detached signature over the bytes of `data`. */
export async function signV1(data: string, options: { key?: string; at?: Date } = {}): Promise<string> {
  const signingKeys = await readPrivateKey({ armoredKey: options.key ?? (await fixtureClientKey('secret')) });
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
