import { messageOf, OperatorError } from '../core/errors.ts';
import { isCertificateBundle, keyFits } from '../crypto/certificates.ts';
import { readPublicKeys } from '../crypto/openpgp.ts';
import { readIfThere } from './ensure-files.ts';
import { EXIT } from './exit-codes.ts';
import type { MongoAnswers, SetupAnswers } from './setup-answers.ts';

/** Looks into the files that setup was told of, before anything is written. */
export async function checkGivenFiles({ tls, store, v1 }: SetupAnswers): Promise<void> {
  if (typeof tls !== 'string') await checkCertificate(tls);
  if (v1 !== false && v1.clientKeyFrom !== undefined) await checkOpenPgpKey(v1.clientKeyFrom, '--v1');
  if (store !== 'embedded') await checkMongo(store);
}

async function checkMongo({ password, tls }: MongoAnswers): Promise<void> {
  if (password !== undefined && 'file' in password) await mustRead(password.file, '--mongo-password-file');
  if (tls?.ca === undefined) return;
  const bundle = isCertificateBundle(await mustRead(tls.ca, '--mongo-ca'));
  if (!bundle) refuse('--mongo-ca', tls.ca, 'expected certificates in PEM, and no key beside them');
}

/** @returns the armored text. @throws OperatorError naming the flag where the file holds no OpenPGP key */
export async function checkOpenPgpKey(file: string, flag: string): Promise<string> {
  const text = await mustRead(file, flag);
  await readPublicKeys(text).catch((cause: unknown) => refuse(flag, file, messageOf(cause), cause));
  return text;
}

async function checkCertificate({ certificate, key }: { certificate: string; key: string }): Promise<void> {
  const pem = {
    certificate: await mustRead(certificate, '--certificate'),
    key: await mustRead(key, '--certificate-key'),
  };
  let fits: boolean;
  try {
    fits = keyFits(pem.certificate, pem.key);
  } catch (cause) {
    return refuse('--certificate', certificate, 'it or its key is no PEM', cause);
  }
  if (!fits) refuse('--certificate-key', key, `it is not the key of ${certificate}`);
}

async function mustRead(file: string, flag: string): Promise<string> {
  return (await readIfThere(file)) ?? refuse(flag, file, 'there is no such file');
}

function refuse(flag: string, file: string, why: string, cause?: unknown): never {
  throw new OperatorError(`cannot use ${flag} ${file}: ${why}`, { exitCode: EXIT.usage, cause });
}
