import { createMessage, readPrivateKey, sign } from 'openpgp';

/** An armored detached signature, as whoever holds the secret key makes it. */
export async function signDetached(secretKey: string, text: string, date = new Date()): Promise<string> {
  const armored = await sign({
    message: await createMessage({ binary: Buffer.from(text) }),
    signingKeys: await readPrivateKey({ armoredKey: secretKey }),
    detached: true,
    date,
    format: 'armored',
  });
  return String(armored);
}
