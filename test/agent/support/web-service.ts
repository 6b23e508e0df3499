import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { testPki } from '../../support/certificates.ts';
import { scratchFolder } from '../../support/scratch.ts';

export interface Asked {
  method: string;
  url: string;
  /** HTTP's own */
  contentType: string | undefined;
  ifModifiedSince?: string;
  body: string;
}

export interface WebService {
  /** `http://127.0.0.1:PORT` */
  origin: string;
  asked: Asked[];
  /** what is answered from now on */
  answer: (request: Asked, response: ServerResponse) => void;
  /** PEM file of who signed for it, with TLS */
  ca: string;
}

/** A server somewhere else, of which the tests are the answers. */
export async function webService(
  t: ExecutionContext,
  { tls = false, host = '127.0.0.1' }: { tls?: boolean; host?: string } = {},
): Promise<WebService> {
  const folder = await scratchFolder(t);
  const service: WebService = {
    origin: '',
    asked: [],
    answer: (_, response) => response.end(),
    ca: join(folder, 'ca.crt'),
  };
  const listener: RequestListener = (request, response) => {
    void readBody(request).then((body) => {
      const since = request.headers['if-modified-since'];
      const asked = {
        method: request.method ?? '',
        url: request.url ?? '',
        contentType: request.headers['content-type'],
        body,
        ...(since === undefined ? {} : { ifModifiedSince: since }),
      };
      service.asked.push(asked);
      service.answer(asked, response);
    });
  };
  const server = tls ? await secureServer(folder, service.ca, listener) : createServer(listener);
  server.listen(0, host);
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  service.origin = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return service;
}

async function secureServer(folder: string, ca: string, listener: RequestListener) {
  const pki = await testPki(folder);
  const { certificate, key } = await pki.issue();
  await writeFile(ca, pki.authority.certificate);
  return createSecureServer({ cert: await readFile(certificate), key: await readFile(key) }, listener);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString('utf8');
}
