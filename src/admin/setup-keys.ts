import { join } from 'node:path';
import { days } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import type { Clock, Random } from '../core/world.ts';
import { type CertificateAndKey, keyFits, makeAuthority, makeServerCertificate } from '../crypto/certificates.ts';
import { generateSigningKey } from '../crypto/ed25519.ts';
import { generateOrderKey, readPublicKeys } from '../crypto/openpgp.ts';
import { answerKeyFile, readRotations } from '../settings/answer-key-files.ts';
import type { FileOwner } from '../settings/atomic-write.ts';
import { FIRST_ORDER_KEY } from '../settings/first-order-key.ts';
import { ORDER_KEYS } from '../settings/order-key-files.ts';
import { readIfThere, type Step, writeNew } from './ensure-files.ts';
import { EXIT } from './exit-codes.ts';

interface World {
  clock: Clock;
  random: Random;
}

const SECRET = 0o600;
const PUBLIC = 0o644;
const ORDER_KEY_NAME = 'penguindome-server';
/** Hosts whose clock is a little behind must be able to use the order key. */
const ORDER_KEY_DATED_BACK = days(1);

/**
 * The site's authority. Its key is written before its certificate: a run that stopped between them left a key that has signed nothing,
 * and both are made anew. A certificate without its key is left alone: the key may be kept elsewhere.
 */
export async function ensureAuthority({ clock, random }: World, pki: string, name: string): Promise<Step> {
  const path = join(pki, 'ca.crt');
  if ((await readIfThere(path)) !== undefined) return { what: 'CA', path, outcome: 'there' };
  const made = await makeAuthority({ now: clock.now(), random }, `PenguinDome CA of ${name}`.slice(0, 64));
  // not the service's own: a server that was taken over must not be able to make certificates
  await writeNew(join(pki, 'ca.key'), made.key, SECRET);
  await writeNew(path, made.certificate, PUBLIC);
  return { what: 'CA', path, outcome: 'made' };
}

/** The server's certificate by that authority; made again where its key is missing or another's, as after an interrupted run. */
export async function ensureServerCertificate(
  { clock, random }: World,
  files: { pki: string; certificate: string; key: string },
  names: readonly string[],
  owner: FileOwner | undefined,
): Promise<Step> {
  const there = { certificate: await readIfThere(files.certificate), key: await readIfThere(files.key) };
  const step = { what: 'server certificate', path: files.certificate };
  if (there.certificate !== undefined && there.key !== undefined && keyFits(there.certificate, there.key)) {
    return { ...step, outcome: 'there' };
  }
  const authority = await readAuthority(files.pki);
  const made = await makeServerCertificate({ now: clock.now(), random }, authority, names);
  await writeNew(files.key, made.key, SECRET, owner);
  await writeNew(files.certificate, made.certificate, PUBLIC, owner);
  return { ...step, outcome: 'made' };
}

/** Signs the server's answers to agents. Once it was rotated, the first one may be gone for good. */
export async function ensureAnswerKey(keys: string, owner: FileOwner | undefined): Promise<Step> {
  const { length } = await readRotations(keys);
  const path = join(keys, answerKeyFile(length));
  if (length > 0 || (await readIfThere(path)) !== undefined) return { what: 'answer key', path, outcome: 'there' };
  await writeNew(path, generateSigningKey(), SECRET, owner);
  return { what: 'answer key', path, outcome: 'made' };
}

/** Signs orders to agents. The public half is written from the secret one, again where it is missing. */
export async function ensureOrderKey({ clock }: World, keys: string, owner: FileOwner | undefined): Promise<Step> {
  const path = join(keys, 'order.asc');
  const publicPath = join(keys, FIRST_ORDER_KEY);
  // Once it was rotated, the first one is gone for good, and stays public.
  if ((await readIfThere(join(keys, ORDER_KEYS))) !== undefined) return { what: 'order key', path, outcome: 'there' };
  const there = await readIfThere(path);
  const publicThere = await readIfThere(publicPath);
  if (there !== undefined && publicThere !== undefined) return { what: 'order key', path, outcome: 'there' };
  if (there !== undefined) {
    const [key] = await readPublicKeys(there);
    await writeNew(publicPath, key?.armor() ?? '', PUBLIC, owner);
  } else {
    if (publicThere !== undefined) {
      throw new OperatorError(
        `cannot make an order key: ${publicPath} is there without ${path}; agents may trust it already. Put the secret key back, or remove both`,
        { exitCode: EXIT.notSetUp },
      );
    }
    const createdAt = new Date(clock.now().getTime() - ORDER_KEY_DATED_BACK);
    const made = await generateOrderKey({ userId: ORDER_KEY_NAME, createdAt });
    // not the service's own: a server that was taken over must not be able to sign orders
    await writeNew(path, made.secretKey, SECRET);
    await writeNew(publicPath, made.publicKey, PUBLIC, owner);
  }
  return { what: 'order key', path, outcome: 'made' };
}

/** @throws OperatorError where the site has none, or its key is kept elsewhere */
export async function readAuthority(pki: string): Promise<CertificateAndKey> {
  const certificate = await readIfThere(join(pki, 'ca.crt'));
  const key = await readIfThere(join(pki, 'ca.key'));
  if (certificate === undefined || key === undefined || !keyFits(certificate, key)) {
    throw new OperatorError(
      `cannot make a server certificate: ${join(pki, 'ca.key')} is missing, or not the key of ca.crt; put it there for the moment`,
      { exitCode: EXIT.notSetUp },
    );
  }
  return { certificate, key };
}
