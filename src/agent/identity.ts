import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperatorError } from '../core/errors.ts';
import { generateSigningKey, loadSigningKey, type SigningKey } from '../crypto/ed25519.ts';
import { EXIT } from './exit-codes.ts';
import { hasCode } from './has-code.ts';
import { makeFolder, type Places } from './places.ts';
import { syncFolder, writeAtomically } from './write-atomically.ts';

const LARGEST = 16 * 1024;

/** @returns undefined where this host has no key yet @throws where it cannot be used, or others may read it */
export async function readIdentity({ identity }: Pick<Places, 'identity'>): Promise<SigningKey | undefined> {
  const pem = await readSecret(identity, 0o077);
  return pem === undefined ? undefined : keyIn(pem, identity);
}

/** The key as systemd hands it over. @returns undefined where it did not: then the file is to be read */
export async function readHandedIdentity({
  handedIdentity,
}: Pick<Places, 'handedIdentity'>): Promise<SigningKey | undefined> {
  if (handedIdentity === undefined) return undefined;
  // systemd lets its user read it by an access list, the mask of which shows as rights of the group.
  const pem = await readSecret(handedIdentity, 0o007);
  return pem === undefined ? undefined : keyIn(pem, handedIdentity);
}

function keyIn(pem: string, path: string): SigningKey {
  try {
    return loadSigningKey(pem);
  } catch (cause) {
    throw new OperatorError(`cannot use ${path}: it holds no Ed25519 private key`, { exitCode: EXIT.notSetUp, cause });
  }
}

/** The key that is there, or a new one, which is on disk before anything is signed with it. The caller holds the submitter's lock. */
export async function readOrMakeIdentity(places: Pick<Places, 'identity'>): Promise<SigningKey> {
  const found = await readIdentity(places);
  if (found !== undefined) return found;
  const pem = generateSigningKey();
  await makeFolder(dirname(places.identity), 0o755);
  await writeAtomically(places.identity, pem, 0o600);
  return loadSigningKey(pem);
}

/** A key for another enrolment, beside the one that is used: that of an attempt that was cut off, or a new one. */
export function readOrMakeNext(places: Pick<Places, 'nextIdentity'>): Promise<SigningKey> {
  return readOrMakeIdentity({ identity: places.nextIdentity });
}

/** A key that is to take over from the identity: that of an attempt that was cut off, or a new one. */
export function readOrMakeRotating(places: Pick<Places, 'rotatingIdentity'>): Promise<SigningKey> {
  return readOrMakeIdentity({ identity: places.rotatingIdentity });
}

/** @returns undefined where none is to take over */
export function readRotating(places: Pick<Places, 'rotatingIdentity'>): Promise<SigningKey | undefined> {
  return readIdentity({ identity: places.rotatingIdentity });
}

/** From here on the next key is the identity. */
export async function useNext({ identity, nextIdentity }: Pick<Places, 'identity' | 'nextIdentity'>): Promise<void> {
  await rename(nextIdentity, identity);
  await syncFolder(dirname(identity));
}

/** @param others rights that nobody may have on it */
async function readSecret(path: string, others: number): Promise<string | undefined> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined;
    if (!hasCode(cause, 'EACCES')) throw cause;
    throw new OperatorError(`cannot read ${path}: only its owner may; run this as root`, {
      exitCode: EXIT.notSetUp,
      cause,
    });
  }
  try {
    const { mode, size } = await handle.stat();
    if ((mode & others) !== 0) {
      throw new OperatorError(
        `cannot use ${path}: other users may read or write it; chmod 600 it, or enrol with a new key`,
        {
          exitCode: EXIT.notSetUp,
        },
      );
    }
    if (size > LARGEST) throw new OperatorError(`cannot use ${path}: it is no key file`, { exitCode: EXIT.notSetUp });
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
