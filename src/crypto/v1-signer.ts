/** Signs what hosts with the original client are to trust, by the original server's key. GnuPG 2.1 and newer read it. */
export interface V1Signer {
  /** primary key, upper-case hex */
  readonly fingerprint: string;
  /** a binary detached signature */
  detached(content: Uint8Array, at: Date): Promise<Uint8Array>;
  /** an armored signed message that holds the content */
  message(content: Uint8Array, at: Date): Promise<string>;
}

/**
 * @param armored one secret key without a passphrase
 * @throws where it is another
 */
export async function openV1Signer(armored: string): Promise<V1Signer> {
  const { createMessage, enums, readPrivateKey, sign } = await import('openpgp');
  const key = await readPrivateKey({ armoredKey: armored });
  if (!key.isDecrypted()) throw new TypeError('the key is locked by a passphrase');
  // The same content, key and time give the same bytes (RSA; what is random in a signature is a notation of openpgp's).
  const config = {
    nonDeterministicSignaturesViaNotation: false,
    preferredHashAlgorithm: enums.hash.sha512,
    preferredCompressionAlgorithm: enums.compression.uncompressed,
    showVersion: false,
    showComment: false,
  };
  const wrap = (content: Uint8Array, date: Date) => createMessage({ binary: content, date });
  return {
    fingerprint: key.getFingerprint().toUpperCase(),
    detached: async (content, at) =>
      sign({
        message: await wrap(content, at),
        signingKeys: key,
        detached: true,
        format: 'binary',
        date: at,
        config,
      }),
    message: async (content, at) =>
      sign({ message: await wrap(content, at), signingKeys: key, format: 'armored', date: at, config }),
  };
}
