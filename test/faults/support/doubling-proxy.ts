import { createServer } from 'node:http';
import type { ExecutionContext } from 'ava';
import { type HttpAnswer, httpRequest } from '../../support/http.ts';

/** Gives each request to two servers at once, byte for byte, and answers with what one of them said. */
export interface DoublingProxy {
  url: string;
  /** the statuses of both, such as `200 409`, and how often */
  pairs: Map<string, number>;
}

export async function doublingProxy(t: ExecutionContext, urls: readonly [string, string]): Promise<DoublingProxy> {
  const pairs = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of incoming) pieces.push(piece);
      const body = Buffer.concat(pieces);
      const { url: path = '', method = '', headers } = incoming;
      const answers = await Promise.all(urls.map((url) => httpRequest(url + path, { method, headers, body })));
      const pair = answers
        .map(({ status }) => status)
        .sort()
        .join(' ');
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
      const { status, headers: said, body: text } = better(answers);
      outgoing.writeHead(status, { ...said, connection: 'keep-alive' }).end(text);
    })().catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`, pairs };
}

/** Any answer but that of the server that came second, which calls the number used. */
function better(answers: readonly HttpAnswer[]): HttpAnswer {
  const rank = ({ status, body }: HttpAnswer) => {
    if (status === 200) return 0;
    return body.includes('replayed') || body.includes('twice') ? 2 : 1;
  };
  const [best] = [...answers].sort((a, b) => rank(a) - rank(b));
  if (best === undefined) throw new Error('nobody answered');
  return best;
}
