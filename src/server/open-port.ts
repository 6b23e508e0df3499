import { X509Certificate } from 'node:crypto';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { DEFAULT_CIPHERS, type TlsOptions } from 'node:tls';
import type { EventFields, Log } from '../core/events.ts';
import type { Limits } from '../settings/server-settings.ts';
import { answerBroken } from './answer-broken.ts';
import { type Arrival, markArrival } from './arrival.ts';
import { limitConnections } from './limit-connections.ts';
import { listen } from './listening.ts';
import { chooseByName, type PemPair, type PortCertificates, readyCertificates } from './port-certificates.ts';
import type { PortSpec } from './port-settings.ts';
import type { Shared } from './shared.ts';
import { TICKET_LIFE } from './ticket-keys.ts';
import { useTickets } from './use-tickets.ts';

export interface OpenPort {
  readonly server: Server | TlsServer;
  spec(): PortSpec;
  /** the one that the system gave, where the spec says 0 */
  port(): number;
  /**
   * Takes over what can change while it is open: certificates, mark and limits; connections that are open stay as they are.
   * @returns does it, and cannot fail any more
   * @throws where the certificates cannot be used
   */
  prepare(spec: PortSpec, limits: Limits): () => void;
}

/** Goes before all others: its digest, SHA-256, makes the tickets that agents send back each minute, and their handshakes, shorter. */
const FIRST_CIPHER = 'TLS_AES_128_GCM_SHA256';

const TLS = {
  minVersion: 'TLSv1.2',
  ciphers: [FIRST_CIPHER, ...DEFAULT_CIPHERS.split(':').filter((cipher) => cipher !== FIRST_CIPHER)].join(':'),
  // The same in all processes; short, because each ticket holds it.
  sessionIdContext: 'p',
  sessionTimeout: TICKET_LIFE / 1000,
} as const;

export interface PortParts {
  limits: Limits;
  handle: RequestListener;
  log: Log;
  shared: Pick<Shared, 'workers' | 'tickets'>;
}

/** @throws OperatorError where it cannot listen there */
export async function openPort(
  first: PortSpec,
  { limits: firstLimits, handle, log, shared }: PortParts,
): Promise<OpenPort> {
  let spec = first;
  let limits = firstLimits;
  let certificates = spec.tls === undefined ? undefined : readyCertificates(spec.tls, TLS);
  const arrival = (): Arrival => ({
    port: spec.name,
    local: spec.local,
    deprecated: spec.deprecated,
    scheme: spec.tls === undefined ? 'http' : 'https',
  });
  const listener: RequestListener = (request, response) => {
    markArrival(request, arrival);
    handle(request, response);
  };
  const server = create(limits, listener, () => certificates);
  answerBroken(server, { port: spec.name, log });
  setLimits(server, limits);
  limitConnections(server, () => Math.ceil(limits.connections / shared.workers));
  const certify = (): void => {
    if (spec.tls !== undefined && server instanceof TlsServer) {
      useTickets(server, textOf(spec.tls), { secrets: () => shared.tickets.secrets(), log });
    }
  };
  // Before anybody can come, whose ticket would be of a key that only this process has.
  certify();
  await listen(server, spec);
  server.once('close', shared.tickets.onRotated(certify));
  const port = (): number => portOf(server);
  log.event('server.listening', { port: port(), host: spec.host ?? '*', tls: spec.tls !== undefined, name: spec.name });
  return {
    server,
    spec: () => spec,
    port,
    prepare(next, nextLimits) {
      const ready = next.tls === undefined ? undefined : readyCertificates(next.tls, TLS);
      return () => {
        const before = spec.tls;
        spec = next;
        limits = nextLimits;
        setLimits(server, limits);
        if (ready === undefined || before === undefined || !(server instanceof TlsServer)) return;
        certificates = ready;
        server.setSecureContext({ ...ready.first, ...TLS });
        certify();
        if (textOf(before) !== textOf(spec.tls)) log.event('server.certificate-changed', described(spec));
      };
    },
  };
}

function create(
  limits: Limits,
  listener: RequestListener,
  certificates: () => PortCertificates | undefined,
): Server | TlsServer {
  const options: ServerOptions = {
    maxHeaderSize: limits.headers,
    // How often Node looks for requests that take too long: a tenth of what they may take.
    connectionsCheckingInterval: Math.max(50, Math.min(limits.headers_timeout, limits.request_timeout) / 10),
    // Its own refusal would come without a line in the log; a request without a host fails the signature instead.
    requireHostHeader: false,
  };
  const first = certificates()?.first;
  if (first === undefined) return createServer(options, listener);
  const tls: TlsOptions = {
    ...first,
    ...TLS,
    handshakeTimeout: limits.headers_timeout,
    SNICallback: chooseByName(certificates),
  };
  return createTlsServer({ ...options, ...tls }, listener);
}

function textOf(pairs: readonly PemPair[] = []): string {
  return pairs.map(({ cert }) => cert).join('\n');
}

function described({ name, tls: [first] = [] }: PortSpec): EventFields {
  if (first === undefined) return { port: name };
  const { fingerprint256, validTo } = new X509Certificate(first.cert);
  const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase();
  return { port: name, fingerprint, ends: new Date(validTo).toISOString() };
}

function setLimits(server: Server | TlsServer, limits: Limits): void {
  server.headersTimeout = limits.headers_timeout;
  server.requestTimeout = limits.request_timeout;
  server.keepAliveTimeout = limits.keep_alive_timeout;
}

function portOf(server: Server | TlsServer): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
