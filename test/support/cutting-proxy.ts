import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** When to cut: as the request comes that holds all of these, or as the answer to it does. */
export interface Cut {
  request: string[];
  at: 'request' | 'answer';
}

/**
 * A proxy before a server without TLS that does something at just one moment of a conversation, and passes nothing on from there.
 * @returns its port, and what resolves once that moment has come and the work is done
 */
export async function cuttingProxy(
  t: ExecutionContext,
  to: { port: number },
  cut: Cut,
  work: () => Promise<void>,
): Promise<{ port: number; cut: Promise<void> }> {
  const sockets: Socket[] = [];
  let done: () => void = () => undefined;
  const happened = new Promise<void>((resolve) => {
    done = resolve;
  });
  let cutting = false;
  const now = () => {
    if (cutting) return;
    cutting = true;
    work().then(done, (error) => t.fail(String(error)));
  };
  const server = createServer((near) => {
    const far = connect({ port: to.port, host: '127.0.0.1' });
    sockets.push(near, far);
    let asked = false;
    near.on('data', (chunk) => {
      if (!cutting && cut.request.every((text) => chunk.includes(text))) {
        if (cut.at === 'request') now();
        else asked = true;
      }
      if (!cutting) far.write(chunk);
    });
    far.on('data', (chunk) => {
      if (asked) now();
      if (!cutting) near.write(chunk);
    });
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, cut: happened };
}
