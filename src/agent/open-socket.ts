import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import type { Milliseconds } from '../core/duration.ts';
import type { Clock } from '../core/world.ts';
import { hasCode } from './has-code.ts';
import { RequestProblem } from './problem.ts';
import type { ServerTrust } from './trust.ts';

/** How the server is recognized: only this CA, or only this certificate; where neither is given, the system's CAs. */
export type Peer = Pick<ServerTrust, 'url' | 'ca' | 'pin'>;

/**
 * A connection over which it is safe to speak: for https, the server has shown the certificate that was pinned at enrolment.
 * Nothing is written before that, and no TLS session is resumed (Node does not check a resumed one's identity).
 */
export function openSocket(peer: Peer, timeout: Milliseconds, clock: Clock): Promise<Socket> {
  const { hostname, port, protocol } = new URL(peer.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const secure = protocol === 'https:';
    const socket = secure
      ? connectTls({
          host,
          port: Number(port || 443),
          minVersion: 'TLSv1.2',
          // Judged below, because a destroyed socket can no longer tell its certificate's dates.
          rejectUnauthorized: false,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          ...(peer.ca === undefined ? {} : { ca: [peer.ca] }),
        })
      : connectPlain({ host, port: Number(port || 80) });
    const timer = setTimeout(
      () => fail(new RequestProblem('timed-out', `cannot connect to ${peer.url} in time`)),
      timeout,
    );
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error) => fail(unreachable(peer.url, cause));
    socket.once('error', onError);
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      const problem = 'getPeerCertificate' in socket ? distrust(socket, peer, clock) : undefined;
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
function distrust(socket: TLSSocket, peer: Peer, clock: Clock): RequestProblem | undefined {
  const certificate = socket.getPeerCertificate(true);
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
