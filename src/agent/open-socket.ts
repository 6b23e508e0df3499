import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import type { Milliseconds } from '../core/duration.ts';
import type { Clock } from '../core/world.ts';
import { hasCode } from './has-code.ts';
import { RequestProblem } from './problem.ts';
import type { Peer, Tickets } from './tls-tickets.ts';

/**
 * A connection over which it is safe to speak: for https, the server has shown the certificate that was pinned at enrolment, now or
 * in the session that a ticket resumes (tls-tickets.ts). Nothing is written before that.
 */
export async function openSocket(peer: Peer, timeout: Milliseconds, clock: Clock, tickets?: Tickets): Promise<Socket> {
  const session = tickets?.session();
  try {
    return await connect(peer, { timeout, clock, tickets, session });
  } catch (error) {
    if (session === undefined || !(error instanceof BrokenHandshake)) throw error;
    // A server that cannot make sense of a ticket may break off, instead of going on without it.
    tickets?.drop();
    return connect(peer, { timeout, clock, tickets, session: undefined });
  }
}

/** The peer was reached, but the handshake came to nothing. */
class BrokenHandshake extends RequestProblem {}

interface Connecting {
  timeout: Milliseconds;
  clock: Clock;
  tickets: Tickets | undefined;
  session: Buffer | undefined;
}

function connect(peer: Peer, { timeout, clock, tickets, session }: Connecting): Promise<Socket> {
  const { hostname, port, protocol } = new URL(peer.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const secure = protocol === 'https:';
    const socket = secure
      ? connectTls({ host, port: Number(port || 443), ...tlsOptions(host, peer, session) })
      : connectPlain({ host, port: Number(port || 80) });
    let reached = false;
    const timer = setTimeout(
      () => fail(new RequestProblem('timed-out', `cannot connect to ${peer.url} in time`)),
      timeout,
    );
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error) => {
      const { code, message } = unreachable(peer.url, cause);
      fail(new (reached ? BrokenHandshake : RequestProblem)(code, message, { cause }));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      reached = true;
    });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      const problem = 'getPeerCertificate' in socket ? judge(socket, peer, clock, tickets) : undefined;
      if (problem !== undefined) {
        fail(problem);
        return;
      }
      clearTimeout(timer);
      socket.removeListener('error', onError);
      resolve(socket);
    });
  });
}

/** What is worth offering: sessions of their own keys and authenticated ciphers. Node's whole lists would make each hello 130 bytes longer. */
const OFFER = {
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  ecdhCurve: 'X25519:P-256:P-384',
  sigalgs: [
    'ecdsa_secp256r1_sha256',
    'ecdsa_secp384r1_sha384',
    'ed25519',
    'rsa_pss_rsae_sha256',
    'rsa_pss_rsae_sha384',
    'rsa_pss_rsae_sha512',
    'rsa_pkcs1_sha256',
    'rsa_pkcs1_sha384',
    'rsa_pkcs1_sha512',
  ].join(':'),
};

function tlsOptions(host: string, { ca, pin }: Peer, session: Buffer | undefined): ConnectionOptions {
  return {
    minVersion: 'TLSv1.2',
    ...OFFER,
    // Judged below, because a destroyed socket can no longer tell its certificate's dates.
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // A pin alone needs none of the system's CAs, which take long to load.
    ...(ca !== undefined ? { ca: [ca] } : pin !== undefined ? { ca: [] } : {}),
    ...(session === undefined ? {} : { session }),
  };
}

/** Judges the server and, where it holds, keeps the tickets that it gives. @returns why it is not to be spoken to */
function judge(socket: TLSSocket, peer: Peer, clock: Clock, tickets: Tickets | undefined): RequestProblem | undefined {
  if (!socket.isSessionReused()) {
    const certificate = socket.getPeerCertificate(true);
    const problem = distrust(socket, certificate, peer, clock);
    tickets?.drop();
    if (problem !== undefined) return problem;
    tickets?.checked(endOf(certificate));
  }
  // TLS 1.2 has given its ticket by now; those of 1.3 are still to come.
  const early = socket.getProtocol() === 'TLSv1.2' ? socket.getSession() : undefined;
  if (early !== undefined) tickets?.offered(early);
  socket.on('session', (session: Buffer) => tickets?.offered(session));
  return undefined;
}

/** When the first certificate of the chain ends. */
function endOf(leaf: DetailedPeerCertificate): Date {
  const ends: number[] = [];
  const seen = new Set<DetailedPeerCertificate>();
  for (let at: DetailedPeerCertificate | undefined = leaf; at?.valid_to !== undefined && !seen.has(at); ) {
    seen.add(at);
    ends.push(new Date(at.valid_to).getTime());
    at = at.issuerCertificate;
  }
  return new Date(Math.min(...ends));
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was broken off',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no network',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
};

export function unreachable(url: string, cause: Error): RequestProblem {
  const code = Object.keys(REASONS).find((known) => hasCode(cause, known));
  const reason = code === undefined ? cause.message : REASONS[code];
  return new RequestProblem('unreachable', `cannot reach ${url}: ${reason}`, { cause });
}

/** @returns why the server is not to be spoken to */
function distrust(
  socket: TLSSocket,
  certificate: DetailedPeerCertificate,
  peer: Peer,
  clock: Clock,
): RequestProblem | undefined {
  if (peer.pin !== undefined) {
    const shown = certificate.fingerprint256?.replaceAll(':', '').toLowerCase();
    if (shown === peer.pin) return undefined;
    return new RequestProblem(
      'certificate',
      `cannot trust ${peer.url}: its certificate has SHA-256 ${shown ?? 'unknown'}, expected ${peer.pin}`,
    );
  }
  if (socket.authorized) return undefined;
  const why = String(socket.authorizationError);
  if (why.includes('CERT_HAS_EXPIRED') || why.includes('CERT_NOT_YET_VALID'))
    return wrongDates(peer.url, certificate, clock);
  return new RequestProblem('certificate', `cannot trust ${peer.url}: its certificate does not hold (${why})`);
}

function wrongDates(url: string, leaf: DetailedPeerCertificate, clock: Clock): RequestProblem {
  const now = clock.now();
  const issuer: DetailedPeerCertificate | undefined = leaf.issuerCertificate;
  const [wrong = leaf] = [leaf, issuer].filter(
    (one) => one !== undefined && (new Date(one.valid_from) > now || new Date(one.valid_to) < now),
  );
  const [from, to] = [wrong.valid_from, wrong.valid_to].map((text) => new Date(text).toISOString());
  return new RequestProblem(
    'certificate-dates',
    `cannot trust ${url}: its certificate is valid from ${from} to ${to}, and this host's clock says ${now.toISOString()}; possibly the clock is wrong`,
    { agentTime: now.toISOString() },
  );
}
