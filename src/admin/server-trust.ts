import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';
import { fingerprintOf } from '../crypto/openpgp.ts';
import { loadAnswerKeys } from '../settings/answer-key-files.ts';
import { certificatesOf } from '../settings/port-certificates.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { TokenContent } from '../wire/v2/token.ts';
import { EXIT } from './exit-codes.ts';

/** All that a machine needs to trust this server: where it is, who signs its certificate, its answers and its orders. */
export async function readServerTrust(settings: ServerSettings): Promise<Omit<TokenContent, 'secret'>> {
  const { keys } = settings;
  const { newest } = await loadAnswerKeys({ keys });
  return {
    url: settings.public_url,
    ...(settings.public_url.startsWith('https:') ? await trustInCertificate(settings) : {}),
    answer_key: newest.key.publicKey,
    ...(newest.number === 0 ? {} : { answer_number: newest.number }),
    order_key: await use(join(keys, 'order-public.asc'), fingerprintOf),
  };
}

/** The site's CA where it signed a port's certificate; a pin where the certificate vouches for itself; else the CAs that the machine knows. */
async function trustInCertificate({ pki, ports }: ServerSettings): Promise<Pick<TokenContent, 'ca' | 'pin'>> {
  const ca = await readFile(join(pki, 'ca.crt'), 'utf8').catch(() => undefined);
  const files = ports.flatMap(({ tls, deprecated }) =>
    deprecated ? [] : certificatesOf(tls).map(({ certificate }) => certificate),
  );
  const certificates = await Promise.all(files.map((file) => use(file, (pem) => new X509Certificate(pem))));
  // Behind a proxy that ends TLS no port has a certificate: the site's CA is the best guess there is.
  if (ca !== undefined && (certificates.length === 0 || certificates.some((each) => isSignedBy(each, ca))))
    return { ca };
  const [first] = certificates;
  if (first?.checkIssued(first) !== true) return {};
  return { pin: createHash('sha256').update(first.raw).digest('hex') };
}

function isSignedBy(certificate: X509Certificate, ca: string): boolean {
  const authority = new X509Certificate(ca);
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

async function use<T>(file: string, read: (text: string) => T | Promise<T>): Promise<T> {
  try {
    return await read(await readFile(file, 'utf8'));
  } catch (cause) {
    const why = messageOf(cause);
    throw new OperatorError(`cannot use ${file}: ${why}; \`penguindome setup\` makes what is missing`, {
      exitCode: EXIT.notSetUp,
      cause,
    });
  }
}
