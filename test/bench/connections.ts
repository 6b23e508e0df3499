import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';

/** Raw sockets, because an HTTP client would cost more than the server that it measures. */
export interface Connection {
  /** one question at a time */
  ask(request: Uint8Array): Promise<Answer>;
  resumed: boolean;
  /** the newest that the server gave */
  ticket(): Buffer | undefined;
  end(): void;
}

interface Answer {
  status: string;
  body: Buffer;
}

/** Sources on the loopback network, so that closed connections (TIME_WAIT) do not use up the ports of one address. */
const SOURCES = 200;
let opened = 0;

/** Opens TLS connections to one server: with a session, a resumed one. */
export function connector({ port, ca }: { port: number; ca: Buffer }): (session?: Buffer) => Promise<Connection> {
  return async function open(session) {
    opened += 1;
    const place = { port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (opened % SOURCES)}` };
    const socket = connect({ ...place, servername: 'localhost', ca, ...(session === undefined ? {} : { session }) });
    let ticket = session;
    socket.on('session', (next) => {
      ticket = next;
    });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    return {
      ask: asker(socket),
      resumed: socket.isSessionReused(),
      ticket: () => ticket,
      end: () => socket.destroy(),
    };
  };
}

function asker(socket: TLSSocket): (request: Uint8Array) => Promise<Answer> {
  let held: Buffer = Buffer.alloc(0);
  let settle = { resolve: (_: Answer) => {}, reject: (_: Error) => {} };
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const answer = wholeAnswer(held);
    if (answer === undefined) return;
    held = held.subarray(answer.length);
    settle.resolve(answer);
  });
  socket.on('error', (error) => settle.reject(error));
  socket.on('close', () => settle.reject(new Error('the server closed a connection')));
  return (request) =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      socket.write(request);
    });
}

function wholeAnswer(buffer: Buffer): (Answer & { length: number }) | undefined {
  const head = buffer.indexOf('\r\n\r\n');
  if (head === -1) return undefined;
  const stated = /content-length: (\d+)/i.exec(buffer.toString('latin1', 0, head));
  if (stated === null) throw new Error(`an answer without content-length:\n${buffer.toString('latin1', 0, head)}`);
  const length = head + 4 + Number(stated[1]);
  if (buffer.length < length) return undefined;
  return { length, status: buffer.toString('latin1', 9, 12), body: buffer.subarray(head + 4, length) };
}
