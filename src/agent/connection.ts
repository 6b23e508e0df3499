import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Milliseconds } from '../core/duration.ts';
import type { Clock } from '../core/world.ts';
import { authorityOf } from '../wire/v2/http-signature.ts';
import { type Opened, openSocket, unreachable } from './open-socket.ts';
import { RequestProblem } from './problem.ts';
import type { Peer, Tickets } from './tls-tickets.ts';

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** One kept connection to the server, opened with the first request. */
export interface Connection {
  /** `@authority` of its requests */
  readonly authority: string;
  /** @throws RequestProblem where there is no whole answer */
  post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    /** bytes that the answer may hold; LARGEST_ANSWER where not said */
    largest?: number,
  ): Promise<HttpAnswer>;
  get(path: string, headers: Readonly<Record<string, string>>): Promise<HttpAnswer>;
  /** bytes of all requests so far, request lines and headers included, TLS not */
  sentBytes(): number;
  close(): void;
}

export interface ConnectionLimits {
  connect: Milliseconds;
  /** from the first byte sent to the last received, connecting included */
  request: Milliseconds;
}

/** Most answers are a few hundred bytes; whatever sends more is not our server. */
const LARGEST_ANSWER = 1024 * 1024;

export function connection(
  peer: Peer,
  limits: ConnectionLimits,
  clock: Clock,
  signal: AbortSignal,
  tickets?: Tickets,
): Connection {
  const opened: Opened[] = [];
  const agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 1 }), {
    createConnection: (_options: unknown, done: (error: Error | null, socket?: Socket) => void) => {
      openSocket(peer, limits.connect, clock, tickets).then(
        (fresh) => {
          opened.push(fresh);
          done(null, fresh.socket);
        },
        (error: Error) => done(error),
      );
    },
  });
  const authority = authorityOf(peer.url.startsWith('https:') ? 'https' : 'http', new URL(peer.url).host);
  const send = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body: Uint8Array,
    largest = LARGEST_ANSWER,
  ): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const message = request({ agent, method, path, headers: { Host: authority, ...headers }, signal });
      const timer = setTimeout(
        () => message.destroy(new RequestProblem('timed-out', `cannot get an answer from ${peer.url} in time`)),
        limits.request,
      );
      message.on('error', (error) => {
        clearTimeout(timer);
        reject(error instanceof RequestProblem ? error : unreachable(peer.url, error));
      });
      message.on('response', (response) => {
        readAnswer(response, peer.url, largest)
          .then(resolve, (error: Error) => {
            message.destroy();
            reject(error);
          })
          .finally(() => clearTimeout(timer));
      });
      // HTTP/1.1 keeps connections anyway; Node 18 takes the missing header for the wish to close.
      message.removeHeader('Connection');
      message.end(body);
      message.shouldKeepAlive = true;
    });
  return {
    authority,
    post: (path, headers, body, largest) =>
      send('POST', path, { ...headers, 'Content-Length': String(body.length) }, body, largest),
    get: (path, headers) => send('GET', path, headers, new Uint8Array()),
    sentBytes: () => opened.reduce((sum, { socket }) => sum + socket.bytesWritten, 0),
    close: () => {
      // A request that was broken off has destroyed its own.
      for (const { socket, reset } of opened) if (!socket.destroyed) reset();
      agent.destroy();
    },
  };
}

async function readAnswer(response: IncomingMessage, url: string, largest: number): Promise<HttpAnswer> {
  const pieces: Buffer[] = [];
  let total = 0;
  try {
    for await (const piece of response) {
      if (!Buffer.isBuffer(piece)) continue;
      total += piece.length;
      if (total > largest) break;
      pieces.push(piece);
    }
  } catch (cause) {
    if (cause instanceof RequestProblem) throw cause;
    throw unreachable(url, cause instanceof Error ? cause : new Error(String(cause)));
  }
  if (total > largest) {
    throw new RequestProblem('unverified', `cannot use the answer of ${url}: it holds more than ${largest} bytes`);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) };
}
