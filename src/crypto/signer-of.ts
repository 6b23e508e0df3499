/** The id (16 hex digits, upper case) of the key that an armored detached signature says it is by; undefined where it cannot be read. */
export async function signerOf(armoredSignature: string): Promise<string | undefined> {
  const { readSignature } = await import('openpgp');
  const signature = await readSignature({ armoredSignature }).catch(() => undefined);
  const [id, ...others] = signature?.getSigningKeyIDs() ?? [];
  return others.length > 0 ? undefined : id?.toHex().toUpperCase();
}
