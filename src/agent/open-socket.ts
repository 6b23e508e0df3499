import { constants } from 'node:crypto';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import type { Milliseconds } from '../core/duration.ts';
import type { Clock } from '../core/world.ts';
import { hasCode } from './has-code.ts';
import { RequestProblem } from './problem.ts';
import type { Peer, Resumable, Tickets } from './tls-tickets.ts';

/** A connection over which it is safe to speak. */
export interface Opened {
  socket: Socket;
  /**
   * Ends it without a farewell, for when all that was asked is answered: the server sends nothing more, and nobody waits. It would say
   * farewell to a process that is gone, and be told so by a reset all the same.
   */
  reset(): void;
}

/**
 * For https, the server has shown the certificate that was pinned at enrolment, now or in the session that a ticket resumes
 * (tls-tickets.ts). Nothing is written before that.
 */
export async function openSocket(peer: Peer, timeout: Milliseconds, clock: Clock, tickets?: Tickets): Promise<Opened> {
  const resumable = tickets?.resumable();
  try {
    return await connect(peer, { timeout, clock, tickets, resumable });
  } catch (error) {
    if (resumable === undefined || !(error instanceof BrokenHandshake)) throw error;
    // A server that cannot make sense of a ticket may break off, instead of going on without it.
    tickets?.drop();
    return connect(peer, { timeout, clock, tickets, resumable: undefined });
  }
}

/** The peer was reached, but the handshake came to nothing. */
class BrokenHandshake extends RequestProblem {}

interface Connecting {
  timeout: Milliseconds;
  clock: Clock;
  tickets: Tickets | undefined;
  resumable: Resumable | undefined;
}

function connect(peer: Peer, { timeout, clock, tickets, resumable }: Connecting): Promise<Opened> {
  const { hostname, port, protocol } = new URL(peer.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'https:';
  return new Promise((resolve, reject) => {
    const raw = connectPlain({ host, port: Number(port || (secure ? 443 : 80)) });
    let socket: Socket = raw;
    const timer = setTimeout(
      () => fail(new RequestProblem('timed-out', `cannot connect to ${peer.url} in time`)),
      timeout,
    );
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      raw.destroy();
      reject(error);
    };
    const done = () => {
      clearTimeout(timer);
      socket.removeListener('error', onError);
      resolve({ socket, reset: () => raw.resetAndDestroy() });
    };
    const onError = (cause: Error) => {
      const { code, message } = unreachable(peer.url, cause);
      fail(new (socket === raw ? RequestProblem : BrokenHandshake)(code, message, { cause }));
    };
    raw.once('error', onError);
    raw.once('connect', () => {
      if (!secure) return done();
      // Only now: while there are several addresses to try, each has a handle of its own.
      raw.removeListener('error', onError);
      const encrypted = connectTls({ socket: raw, host, ...tlsOptions(host, peer, resumable) });
      socket = encrypted;
      encrypted.once('error', onError);
      encrypted.once('secureConnect', () => {
        const problem = judge(encrypted, peer, clock, tickets);
        if (problem === undefined) done();
        else fail(problem);
      });
    });
  });
}

/** What is worth offering: sessions of their own keys and authenticated ciphers. Node's whole lists would make each hello 130 bytes longer. */
const OFFER = {
  minVersion: 'TLSv1.2',
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
} as const satisfies ConnectionOptions;

/**
 * With a ticket of TLS 1.3 only that is offered, and of ciphers and groups what the server chose before. Where it has changed its mind, the
 * handshake breaks, and is tried without the ticket; the next one is of its new choice.
 */
function offerWithTicket({ cipher, group }: NonNullable<Resumable['chosen']>): ConnectionOptions {
  return {
    minVersion: 'TLSv1.3',
    ciphers: cipher,
    ecdhCurve: group,
    sigalgs: 'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ed25519:rsa_pss_rsae_sha256:rsa_pkcs1_sha256',
    // Extensions of 1.2, which OpenSSL sends even so. Tickets of 1.3 come and go without the one that bears their name.
    secureOptions: constants.SSL_OP_NO_ENCRYPT_THEN_MAC | constants.SSL_OP_NO_TICKET | NO_EXTENDED_MASTER_SECRET,
  };
}

/** SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL 3, which Node does not name. */
const NO_EXTENDED_MASTER_SECRET = 1;

function tlsOptions(host: string, { ca, pin }: Peer, resumable: Resumable | undefined): ConnectionOptions {
  return {
    ...(resumable?.chosen === undefined ? OFFER : offerWithTicket(resumable.chosen)),
    // Judged below, because a destroyed socket can no longer tell its certificate's dates.
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // A pin alone needs none of the system's CAs, which take long to load.
    ...(ca !== undefined ? { ca: [ca] } : pin !== undefined ? { ca: [] } : {}),
    ...(resumable === undefined ? {} : { session: resumable.session }),
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
  const isOld = socket.getProtocol() === 'TLSv1.2';
  const early = isOld ? socket.getSession() : undefined;
  if (early !== undefined) tickets?.offered({ session: early, chosen: undefined });
  socket.on('session', (session: Buffer) =>
    tickets?.offered({ session, chosen: isOld ? undefined : choiceOf(socket) }),
  );
  return undefined;
}

function choiceOf(socket: TLSSocket): Resumable['chosen'] {
  const key = socket.getEphemeralKeyInfo();
  if (key === null || !('name' in key) || key.name === undefined) return undefined;
  return { cipher: socket.getCipher().name, group: key.name };
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
