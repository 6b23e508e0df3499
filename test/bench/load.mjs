// A load generator: plays prepared HTTP requests over kept TLS connections as fast as the answers come, and counts.
// Raw sockets, because an HTTP client would cost more than the server that it measures. One process of its own.
//   node load.mjs REQUESTS-FILE PORT CA-FILE CONNECTIONS
// The file: each request as a 32-bit big-endian length and its bytes. Prints one JSON object.
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';

const [file, port, caFile, connections] = process.argv.slice(2);
const bytes = readFileSync(file);
const requests = [];
for (let at = 0; at < bytes.length; ) {
  const length = bytes.readUInt32BE(at);
  requests.push(bytes.subarray(at + 4, at + 4 + length));
  at += 4 + length;
}
const ca = readFileSync(caFile);
const statuses = {};
const latencies = new Float64Array(requests.length);
let next = 0;
let done = 0;

/** The bytes of the one answer at the start of `buffer`, or undefined while it is incomplete. */
function answerLength(buffer) {
  const head = buffer.indexOf('\r\n\r\n');
  if (head === -1) return undefined;
  const text = buffer.latin1Slice(0, head);
  const length = /content-length: (\d+)/i.exec(text);
  if (length === null) throw new Error(`an answer without content-length:\n${text}`);
  const total = head + 4 + Number(length[1]);
  return buffer.length < total ? undefined : total;
}

function play(socket) {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0);
    let sentAt = 0;
    const send = () => {
      if (next >= requests.length) {
        socket.end();
        resolve();
        return;
      }
      sentAt = performance.now();
      socket.write(requests[next++]);
    };
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed a connection')));
    socket.on('data', (chunk) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const length = answerLength(held);
      if (length === undefined) return;
      const status = held.latin1Slice(9, 12);
      statuses[status] = (statuses[status] ?? 0) + 1;
      latencies[done++] = performance.now() - sentAt;
      held = held.subarray(length);
      send();
    });
    send();
  });
}

const sockets = await Promise.all(
  Array.from(
    { length: Number(connections) },
    () =>
      new Promise((resolve, reject) => {
        const socket = connect({ port: Number(port), host: '127.0.0.1', servername: 'localhost', ca }, () =>
          resolve(socket),
        );
        socket.once('error', reject);
      }),
  ),
);
const started = performance.now();
await Promise.all(sockets.map(play));
const seconds = (performance.now() - started) / 1000;
const sorted = latencies.subarray(0, done).sort();
const percentile = (share) => sorted[Math.min(done - 1, Math.floor(done * share))];
console.log(
  JSON.stringify({
    count: done,
    seconds,
    perSecond: done / seconds,
    statuses,
    p50: percentile(0.5),
    p99: percentile(0.99),
  }),
);
for (const socket of sockets) socket.destroy();
