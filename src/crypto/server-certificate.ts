import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../core/errors.ts';
import { kindOf, namesOf } from './shown-certificates.ts';

/** A server's certificate, for people. */
export interface CertificateFacts {
  subject: string;
  /** host names and addresses that it is for */
  names: string[];
  from: Date;
  ends: Date;
  issuer: string;
  /** lower-case hex SHA-256 of its DER */
  fingerprint: string;
  /** `rsa`, `ec` … */
  key_kind: string;
}

/** @param pem a chain's first certificate counts @throws where it is none */
export function certificateFacts(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem);
  return {
    subject: onOneLine(certificate.subject),
    names: namesOf(certificate),
    from: new Date(certificate.validFrom),
    ends: new Date(certificate.validTo),
    issuer: onOneLine(certificate.issuer),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    key_kind: kindOf(certificate),
  };
}

/** `site`: the site's CA; `itself`: who trusts it has pinned this very one; `other`: a CA that machines know anyway, or nobody knows. */
export type Signer = 'site' | 'itself' | 'other';

/** @param ca PEM of the site's CA, where it has one */
export function signerOf(pem: string, ca: string | undefined): Signer {
  const certificate = new X509Certificate(pem);
  if (ca !== undefined && isSignedBy(certificate, new X509Certificate(ca))) return 'site';
  return isSignedBy(certificate, certificate) ? 'itself' : 'other';
}

/** id-kp-serverAuth, RFC 5280 section 4.2.1.12 */
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/**
 * Whether a server can show this, and clients take it now, so far as the files tell.
 * @returns why not, in the words behind "cannot use …: "
 */
export function faultOf(pem: string, key: string, now: Date): string | undefined {
  try {
    const chain = chainOf(pem);
    const [leaf] = chain;
    if (leaf === undefined) return 'it holds no certificate in PEM';
    if (!leaf.checkPrivateKey(createPrivateKey(key))) return 'the key is not the key of this certificate';
    const purposes = leaf.keyUsage;
    if (purposes !== undefined && !purposes.includes(SERVER_AUTH)) return 'it is not for servers';
    const loose = chain.findIndex((each, index) => {
      const above = chain[index + 1];
      return above !== undefined && !isSignedBy(each, above);
    });
    if (loose !== -1) return `its chain is broken: certificate ${loose + 1} of the file is not signed by the next one`;
    // OpenSSL's own opinion, on keys that are too short for instance.
    createSecureContext({ cert: pem, key });
    return chain.map((each, index) => whenFault(each, index, now)).find((fault) => fault !== undefined);
  } catch (error) {
    return messageOf(error);
  }
}

function whenFault({ validFrom, validTo }: X509Certificate, index: number, now: Date): string | undefined {
  const which = index === 0 ? 'it' : `certificate ${index + 1} of its chain`;
  if (new Date(validTo) <= now) return `${which} ended on ${validTo}`;
  return new Date(validFrom) > now ? `${which} is not valid before ${validFrom}` : undefined;
}

function chainOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function isSignedBy(certificate: X509Certificate, by: X509Certificate): boolean {
  return certificate.checkIssued(by) && certificate.verify(by.publicKey);
}

function onOneLine(name: string): string {
  return name.split('\n').join(', ');
}
