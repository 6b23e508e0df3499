import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';

/**
 * Closes connections above so many at once, and tells each by the event `drop`.
 * Not by `maxConnections`: in a worker of node:cluster the primary then hands the connection from one full worker to the next, again and again.
 */
export function limitConnections(server: Server | TlsServer, most: () => number): void {
  let open = 0;
  server.on('connection', (socket) => {
    open++;
    socket.once('close', () => {
      open--;
    });
    if (open <= most()) return;
    const { remoteAddress } = socket;
    server.emit('drop', { ...(remoteAddress === undefined ? {} : { remoteAddress }) });
    socket.destroy();
  });
}
