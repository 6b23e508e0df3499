import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { OperatorError } from '../core/errors.ts';
import { makeServerCertificate } from '../crypto/certificates.ts';
import { certificateFacts, faultOf, signerOf } from '../crypto/server-certificate.ts';
import type { TlsFiles } from '../settings/port-certificates.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { MadeFiles } from './change-ports.ts';
import type { AdminContext } from './context.ts';
import { ensureTlsFolder, readIfThere, writeNew } from './ensure-files.ts';
import { EXIT } from './exit-codes.ts';
import { ownerIn } from './is-root.ts';
import { readAuthority } from './setup-keys.ts';

/** What commands on ports are told of a certificate; without files one is made by the site's CA. */
export interface CertificateFlags {
  certificate?: string;
  certificateKey?: string;
  hostName?: string[];
}

export interface Provided {
  files: TlsFiles;
  pem: string;
}

/** @throws OperatorError (wrong usage) for a certificate without its key, or the other way round */
export function givenFiles({ certificate, certificateKey }: CertificateFlags): TlsFiles | undefined {
  if ((certificate === undefined) !== (certificateKey === undefined)) {
    throw new OperatorError('cannot use --certificate without --certificate-key, nor the other way round', {
      exitCode: EXIT.usage,
    });
  }
  if (certificate === undefined || certificateKey === undefined) return undefined;
  return { certificate: resolve(certificate), key: resolve(certificateKey) };
}

/**
 * The given files, looked into, or a new certificate by the site's CA, for these names and those of the machine itself.
 * @throws OperatorError where the files do not fit: another key, a broken chain, not of today, not for these names
 */
export async function provideCertificate(
  context: AdminContext,
  settings: ServerSettings,
  want: { flags: CertificateFlags; port: number; names: readonly string[]; files: MadeFiles },
): Promise<Provided> {
  const given = givenFiles(want.flags);
  const provided = given === undefined ? await make(context, settings, want) : await check(context, given);
  const missing = want.names.find((name) => !holdsName(provided.pem, name));
  if (missing === undefined) return provided;
  const { names } = certificateFacts(provided.pem);
  throw new OperatorError(
    `cannot use ${provided.files.certificate}: it is for ${names.join(', ') || 'no name'}, not for ${missing}; --host-name says whom it is to be for`,
  );
}

/** Whether a client that asks for this name, or comes to this address, takes it. */
export function holdsName(pem: string, name: string): boolean {
  const certificate = new X509Certificate(pem);
  const held = isIP(name) === 0 ? certificate.checkHost(name, { subject: 'never' }) : certificate.checkIP(name);
  return held !== undefined;
}

/** Who signed it, seen from this site. */
export async function signerHere({ pki }: Pick<ServerSettings, 'pki'>, pem: string) {
  return signerOf(pem, await readIfThere(join(pki, 'ca.crt')));
}

async function check({ clock }: AdminContext, files: TlsFiles): Promise<Provided> {
  const [pem, key] = await Promise.all([files.certificate, files.key].map(mustRead));
  const fault = faultOf(pem ?? '', key ?? '', clock.now());
  if (fault !== undefined) throw new OperatorError(`cannot use ${files.certificate} with ${files.key}: ${fault}`);
  return { files, pem: pem ?? '' };
}

async function mustRead(file: string): Promise<string> {
  const text = await readIfThere(file);
  if (text === undefined)
    throw new OperatorError(`cannot use ${file}: there is no such file`, { exitCode: EXIT.usage });
  return text;
}

/** Under a name of its own, so that the old files are whole and in force until the settings name the new ones. */
async function make(
  { clock, random }: AdminContext,
  settings: ServerSettings,
  { port, names, files }: { port: number; names: readonly string[]; files: MadeFiles },
): Promise<Provided> {
  const authority = await readAuthority(settings.pki);
  const { certificate, key } = await makeServerCertificate({ now: clock.now(), random }, authority, names);
  const owner = await ownerIn(settings.keys);
  const folder = await ensureTlsFolder(settings, owner);
  const name = join(folder, `port-${port}-${certificateFacts(certificate).fingerprint.slice(0, 12)}`);
  const made = { certificate: `${name}.crt`, key: `${name}.key` };
  files.made.push(made.key, made.certificate);
  await writeNew(made.key, key, 0o600, owner);
  await writeNew(made.certificate, certificate, 0o644, owner);
  return { files: made, pem: certificate };
}
