import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { PrivateKey } from 'openpgp';
import { messageOf } from '../core/errors.ts';

/** Loaded when first used, as in crypto/openpgp.ts. */
const load = () => import('openpgp');

/**
 * Encrypts bytes as they come to one OpenPGP public key, as a binary message (`gpg --decrypt` reads it).
 * @param recipient the key, armored or binary
 * @throws where that is not exactly one key that can be encrypted to
 */
export async function sealTo(recipient: Uint8Array, content: Readable): Promise<Readable> {
  const { createMessage, encrypt } = await load();
  const key = await readOneKey(recipient);
  await key.getEncryptionKey();
  const message = await createMessage({ binary: Readable.toWeb(content) });
  const sealed: ReadableStream<Uint8Array> = await encrypt({
    message,
    encryptionKeys: key.toPublic(),
    format: 'binary',
  });
  return Readable.fromWeb(sealed);
}

/** @throws where the message is not for that key, or was altered */
export async function unseal(sealed: Uint8Array, key: PrivateKey): Promise<Uint8Array> {
  const { decrypt, readMessage } = await load();
  const message = isArmored(sealed)
    ? await readMessage({ armoredMessage: Buffer.from(sealed).toString('utf8') })
    : await readMessage({ binaryMessage: sealed });
  const { data } = await decrypt({ message, decryptionKeys: key, format: 'binary' });
  return data;
}

/** Reads a secret key. @param passphrase asked only where the key is locked by one */
export async function unlockSecretKey(key: Uint8Array, passphrase: () => Promise<string>): Promise<PrivateKey> {
  const { decryptKey } = await load();
  const found = await readOneKey(key);
  if (!found.isPrivate()) throw new TypeError('expected a secret key, got a public one');
  return found.isDecrypted() ? found : decryptKey({ privateKey: found, passphrase: await passphrase() });
}

async function readOneKey(key: Uint8Array) {
  const { readKeys } = await load();
  const keys = isArmored(key)
    ? await readKeys({ armoredKeys: Buffer.from(key).toString('utf8') })
    : await readKeys({ binaryKeys: key }).catch((cause: unknown) => {
        throw new TypeError(`cannot find an OpenPGP key: ${messageOf(cause)}`, { cause });
      });
  const [found, ...more] = keys;
  if (found === undefined || more.length > 0) throw new TypeError(`expected one OpenPGP key, got ${keys.length}`);
  return found;
}

function isArmored(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 2048)).includes('-----BEGIN PGP ');
}
