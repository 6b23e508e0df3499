import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { shownFor } from '../crypto/shown-certificates.ts';

/** PEM */
export interface PemPair {
  cert: string;
  key: string;
}

export interface PortCertificates {
  /** for who names no host, or none that a certificate holds */
  readonly first: PemPair | undefined;
  /** What is to be offered to a client that wants this name, beside the first one or, of the same kind of key, in its place. */
  forName(name: string): SecureContext[];
}

/**
 * All certificates of one port, made ready.
 * @throws where OpenSSL will not have one of them
 */
export function readyCertificates(pairs: readonly PemPair[], options: SecureContextOptions): PortCertificates {
  const certificates = pairs.map(({ cert }) => new X509Certificate(cert));
  // A handshake is no place to find out that one cannot be used.
  const contexts = pairs.map(({ cert, key }) => createSecureContext({ ...options, cert, key }));
  return {
    first: pairs[0],
    forName(name) {
      if (pairs.length < 2) return [];
      const indices = shownFor(certificates, name);
      return indices.join() === '0' ? [] : contexts.filter((_, index) => indices.includes(index));
    },
  };
}

/**
 * What TLS servers call for a client that names a host (`SNICallback`), on the socket of the handshake. Of what it answers Node takes
 * one certificate, the last one loaded, beside those that there are (UseSNIContext in node/src/crypto/crypto_common.cc): further ones
 * are given to the socket.
 */
export function chooseByName(certificates: () => PortCertificates | undefined) {
  return function choose(
    this: unknown,
    name: string,
    show: (error: Error | null, context?: SecureContext) => void,
  ): void {
    try {
      const [one, ...more] = certificates()?.forName(name) ?? [];
      if (this instanceof TLSSocket) for (const context of more) this.setKeyCert(context);
      show(null, one);
    } catch (error) {
      show(error instanceof Error ? error : new Error(String(error)));
    }
  };
}
