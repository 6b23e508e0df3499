/** An armored detached signature over the UTF-8 bytes of `text` (SHA-512, so that GnuPG 2.2 verifies it). */
export async function signDetached(options: { secretKey: string; text: string; at: Date }): Promise<string> {
  const { createMessage, enums, readPrivateKey, sign } = await import('openpgp');
  const signature = await sign({
    message: await createMessage({ binary: new TextEncoder().encode(options.text) }),
    signingKeys: await readPrivateKey({ armoredKey: options.secretKey }),
    detached: true,
    date: options.at,
    format: 'armored',
    config: { preferredHashAlgorithm: enums.hash.sha512 },
  });
  return String(signature);
}
