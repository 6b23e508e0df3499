import { type Server, STATUS_CODES } from 'node:http';
import { Server as TlsServer } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Milliseconds, seconds } from '../core/duration.ts';
import type { Log } from '../core/events.ts';
import { remoteAddress } from './arrival.ts';

const STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** More connections than are allowed are told of once in this time. */
const DROP_LOG_INTERVAL: Milliseconds = seconds(10);

/** Connections that send what is not HTTP, or too slowly, get a clean answer, and each of them is one line in the log. */
export function answerBroken(server: Server | TlsServer, { port, log }: { port: string; log: Log }): void {
  const busy = new WeakMap<object, { answered: () => boolean }>();
  const logged = new WeakSet<object>();
  const encrypted = new WeakSet<object>();
  server.on('secureConnection', (socket) => encrypted.add(socket));
  server.on('request', (request, response) => {
    busy.set(request.socket, { answered: () => response.headersSent });
    response.on('close', () => busy.delete(request.socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const code = error.code ?? 'unknown';
    // Node brings failed handshakes here too; there is nobody then who could read an answer.
    if (server instanceof TlsServer && !encrypted.has(socket)) {
      if (code !== 'ECONNRESET') log.event('connection.broken', { remote: remoteOf(socket), port, code });
      socket.destroy();
      return;
    }
    const request = busy.get(socket);
    // Idle connections may end as they like.
    const lost = code !== 'ECONNRESET' && code !== 'EPIPE' ? true : request !== undefined;
    if (lost && !logged.has(socket)) {
      logged.add(socket);
      log.event('connection.broken', { remote: remoteOf(socket), port, code, status: statusOf(code) });
    }
    if (socket.writable && request?.answered() !== true) socket.write(answerOf(statusOf(code)));
    if (socket instanceof Socket) socket.destroySoon();
    else socket.destroy();
  });
  logDrops(server, { port, log });
}

function logDrops(server: Server | TlsServer, { port, log }: { port: string; log: Log }): void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  server.on('drop', (dropped) => {
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + DROP_LOG_INTERVAL;
    log.event('connection.broken', { remote: remoteAddress(dropped ?? {}), port, code: 'too-many-connections' });
  });
}

function statusOf(code: string): number {
  return STATUSES[code] ?? 400;
}

function answerOf(status: number): string {
  const body = `cannot read the request: ${STATUS_CODES[status]?.toLowerCase() ?? 'bad request'}\n`;
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Bad Request'}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

function remoteOf(socket: Duplex): string | undefined {
  return socket instanceof Socket ? remoteAddress(socket) : undefined;
}
