/** An armored detached signature over bytes, of a text its UTF-8 ones (SHA-512, so that GnuPG 2.2 verifies it). */
export async function signDetached(options: {
  secretKey: string;
  text: string | Uint8Array;
  at: Date;
}): Promise<string> {
  const { createMessage, enums, readPrivateKey, sign } = await import('openpgp');
  const { text } = options;
  const binary = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const signature = await sign({
    message: await createMessage({ binary }),
    signingKeys: await readPrivateKey({ armoredKey: options.secretKey }),
    detached: true,
    date: options.at,
    format: 'armored',
    config: { preferredHashAlgorithm: enums.hash.sha512 },
  });
  return String(signature);
}
