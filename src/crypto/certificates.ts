import { createHash, createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { days } from '../core/duration.ts';
import type { Random } from '../core/world.ts';

const newKeyPair = promisify(generateKeyPair);

/** A host whose clock is a little behind must not refuse a certificate that was just made. */
const DATED_BACK = days(1);
const CA_LIFE = days(3650);
/** What browsers and Apple's stack accept at most is 398. */
const SERVER_LIFE = days(397);
const CA_BITS = 3072;
const SERVER_BITS = 2048;

/** Names by which the server's own machine reaches it. */
const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1'];

export interface CertificateAndKey {
  /** PEM */
  certificate: string;
  /** PKCS #8 PEM */
  key: string;
}

interface World {
  now: Date;
  random: Random;
}

/** A certificate authority for one site: signs server certificates, and no further authority. */
export async function makeAuthority({ now, random }: World, commonName: string): Promise<CertificateAndKey> {
  const key = await newKey(CA_BITS);
  const certificate = blank(key, { now, random }, CA_LIFE);
  const subject = [{ name: 'commonName', value: commonName }];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  return signed(certificate, key, key);
}

/**
 * A server certificate by that authority, for the host names and addresses given, and those of the machine itself.
 * @param names DNS names and IP addresses; the first becomes the common name
 */
export async function makeServerCertificate(
  { now, random }: World,
  authority: CertificateAndKey,
  names: readonly string[],
): Promise<CertificateAndKey> {
  const issuer = forge.pki.certificateFromPem(authority.certificate);
  const key = await newKey(SERVER_BITS);
  const certificate = blank(key, { now, random }, SERVER_LIFE);
  certificate.setSubject([{ name: 'commonName', value: commonNameOf(names) }]);
  certificate.setIssuer(issuer.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: alternativeNames(names) },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
  ]);
  return signed(certificate, key, authority.key);
}

/** Hex SHA-256 of the certificate's DER: what an agent may pin. */
export function certificateFingerprint(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

/** What must be known of a certificate to serve and to warn in time. @throws where the text is no certificate in PEM */
export function readCertificate(pem: string): { subject: string; names: string; validFrom: Date; validTo: Date } {
  const { subject, subjectAltName, validFrom, validTo } = new X509Certificate(pem);
  return { subject, names: subjectAltName ?? '', validFrom: new Date(validFrom), validTo: new Date(validTo) };
}

/** Whether it holds certificates in PEM, one at least, and nothing else that is PEM: a key beside them would be given to all who may know whom to trust. */
export function isCertificateBundle(text: string): boolean {
  const parts = text.match(/-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----/g) ?? [];
  return parts.length > 0 && parts.every((part) => part.startsWith('-----BEGIN CERTIFICATE-----') && canBeRead(part));
}

function canBeRead(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/** @throws where either is no PEM. A chain's first certificate counts. */
export function keyFits(certificate: string, key: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
}

async function newKey(modulusLength: number): Promise<string> {
  const { privateKey } = await newKeyPair('rsa', { modulusLength });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function blank(key: string, { now, random }: World, life: number): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  const { n, e } = forge.pki.privateKeyFromPem(key);
  certificate.publicKey = forge.pki.setRsaPublicKey(n, e);
  certificate.serialNumber = positiveSerial(random);
  certificate.validity.notBefore = new Date(now.getTime() - DATED_BACK);
  certificate.validity.notAfter = new Date(now.getTime() - DATED_BACK + life);
  return certificate;
}

/** 16 random bytes (RFC 5280 section 4.1.2.2 allows 20), the first bit 0 so that the number is positive, the second 1 so that it has all its bytes. */
function positiveSerial(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function signed(certificate: forge.pki.Certificate, key: string, signer: string): CertificateAndKey {
  certificate.sign(forge.pki.privateKeyFromPem(signer), forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n'), key };
}

function alternativeNames(names: readonly string[]): { type: number; value?: string; ip?: string }[] {
  return [...new Set([...names, ...LOCAL_NAMES])].map((name) =>
    isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name },
  );
}

/** RFC 5280 appendix A.1: a common name has at most 64 characters; clients look at the alternative names anyway. */
function commonNameOf(names: readonly string[]): string {
  return (names[0] ?? 'localhost').slice(0, 64);
}
