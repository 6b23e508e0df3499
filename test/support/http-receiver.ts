import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { ExecutionContext } from 'ava';
import { type Behaviour, portOf } from './smtp-receiver.ts';

export interface ReceivedPost {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface HttpReceiver {
  port: number;
  url: string;
  /** all that it took */
  posts: ReceivedPost[];
  /** how many requests reached it, taken or not */
  tried(): number;
  behave(next: () => Behaviour): void;
  /** in the place of an answer of its own */
  answer(how: (request: IncomingMessage, response: ServerResponse) => void): void;
}

/** A real HTTP server on 127.0.0.1, gone after the test. */
export async function httpReceiver(
  t: ExecutionContext,
  { tls, host = '127.0.0.1' }: { tls?: { certificate: string; key: string }; host?: string } = {},
): Promise<HttpReceiver> {
  const posts: ReceivedPost[] = [];
  let next: () => Behaviour = () => 'take';
  let own: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  let tried = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    tried += 1;
    const behaviour = next();
    if (own === undefined && (behaviour === 'take' || behaviour === 'late')) {
      posts.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
    }
    if (own !== undefined) own(request, response);
    else if (behaviour === 'take') response.writeHead(204).end();
    else if (behaviour === 'later') response.writeHead(503).end();
    else if (behaviour === 'never') response.writeHead(400).end();
    else if (behaviour !== 'hang') request.socket.destroy();
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    // the client may break off: that is what tests are about
    handle(request, response).catch(() => response.destroy());
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createSecureServer({ cert: await readFile(tls.certificate), key: await readFile(tls.key) }, listener);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const port = portOf(server.address());
  return {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://${host}:${port}/hook`,
    posts,
    tried: () => tried,
    behave(wanted) {
      next = wanted;
    },
    answer(how) {
      own = how;
    },
  };
}
