// Stands between agent and server, ends TLS on both sides with the demo's own certificate, and keeps what the agent sent:
// so the bytes are counted as they travel, and a request can be played again.
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:tls';

/**
 * @param {{folder: string, serverPort: number}} where the demo's server
 * @returns a recorder that listens on `port`; `take()` hands over the bytes of the requests since the last `take`
 */
export async function startRecorder({ folder, serverPort }) {
  const [cert, key, ca] = await Promise.all(
    ['state/tls/server.crt', 'state/tls/server.key', 'pki/ca.crt'].map((name) => readFile(`${folder}/${name}`)),
  );
  let sent = [];
  const sockets = new Set();
  const server = createServer({ cert, key }, (agent) => {
    const upstream = connect({ port: serverPort, host: '127.0.0.1', servername: 'localhost', ca });
    for (const socket of [agent, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    agent.on('data', (chunk) => sent.push(chunk));
    agent.pipe(upstream);
    upstream.pipe(agent);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    take() {
      const bytes = Buffer.concat(sent);
      sent = [];
      return bytes;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
    /** Sends the recorded bytes to the server as they are. @returns {Promise<{status: number, body: string}>} its first answer */
    replay: (bytes) => replay(bytes, { serverPort, ca }),
  };
}

async function replay(bytes, { serverPort, ca }) {
  const socket = connect({ port: serverPort, host: '127.0.0.1', servername: 'localhost', ca });
  const chunks = [];
  return new Promise((resolve, reject) => {
    socket.setTimeout(10_000, () => socket.destroy(new Error('cannot replay: the server does not answer')));
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const answer = /^HTTP\/1\.1 (\d{3}).*?\r\n\r\n(.+)$/s.exec(Buffer.concat(chunks).toString('latin1'));
      if (answer === null) return;
      socket.destroy();
      resolve({ status: Number(answer[1]), body: answer[2] });
    });
    socket.write(bytes);
  });
}
