/** Which of a port's certificates a client is shown: what the server does, and what `penguindome ports` says of it beforehand. */
import type { X509Certificate } from 'node:crypto';

/**
 * A TLS client says which host name it wants (SNI, RFC 6066 section 3; never an address), and which kinds of signature it understands.
 * Nothing in a handshake tells clients apart that want the same name and understand the same: they are shown the same certificate.
 * @param name that the client wants
 * @returns indices: the certificates to offer it, of each kind of key one (OpenSSL holds no more; of the kinds that both sides
 * know it takes ECDSA first with TLS 1.3, and RSA with TLS 1.2); the first one where it names no host, or none that a certificate holds
 */
export function shownFor(certificates: readonly X509Certificate[], name: string | undefined): number[] {
  const named = certificates.flatMap((certificate, index) =>
    name !== undefined && holds(certificate, name) ? [{ index, kind: kindOf(certificate) }] : [],
  );
  if (named.length === 0) return certificates.length === 0 ? [] : [0];
  const kinds = named.map(({ kind }) => kind);
  return named.filter(({ kind }, index) => kinds.indexOf(kind) === index).map(({ index }) => index);
}

/** Whether any client is ever shown this one. */
export function isEverShown(certificates: readonly X509Certificate[], index: number): boolean {
  return index === 0 || shownNames(certificates).some(({ indices }) => indices.includes(index));
}

/**
 * A name of one of them that has none with the first one's kind of key. The server can offer more than the first one, but not less: who
 * understands that kind of key, and asks for the name, might be shown the first one, which does not hold it.
 */
export function nameWithoutFirstKind(certificates: readonly X509Certificate[]): string | undefined {
  const [first] = certificates;
  if (first === undefined) return undefined;
  const kind = kindOf(first);
  const kindsOf = (indices: number[]) => certificates.filter((_, index) => indices.includes(index)).map(kindOf);
  return shownNames(certificates).find(({ indices }) => !kindsOf(indices).includes(kind))?.name;
}

function shownNames(certificates: readonly X509Certificate[]): { name: string; indices: number[] }[] {
  // A wildcard is tried by a name that it holds.
  const names = certificates.flatMap(hostNamesOf).map((name) => name.replace(/^\*/, 'a'));
  return names.map((name) => ({ name, indices: shownFor(certificates, name) }));
}

/** Host names and addresses that the certificate is for, as it has them. */
export function namesOf({ subjectAltName = '' }: Pick<X509Certificate, 'subjectAltName'>): string[] {
  return [...subjectAltName.matchAll(/(?:^|, )(?:DNS|IP Address):([^,"]+)/g)].flatMap(([, name]) => name ?? []);
}

/** `rsa`, `ec`, `ed25519`. */
export function kindOf(certificate: X509Certificate): string {
  return certificate.publicKey.asymmetricKeyType ?? 'unknown';
}

function hostNamesOf({ subjectAltName = '' }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(/(?:^|, )DNS:([^,"]+)/g)].flatMap(([, name]) => name ?? []);
}

function holds(certificate: X509Certificate, name: string): boolean {
  return certificate.checkHost(name, { subject: 'never' }) !== undefined;
}
