import { connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { between, type Chance } from './seed.ts';

/** Where a connection was cut: while the body went to the server, or while the answer came back. */
export type Cut = 'body' | 'answer';

/** Stands before a plain HTTP port, and now and then cuts a connection in the middle of a message. */
export interface CuttingProxy {
  url: string;
  /** cuts so far: each is one request that its host got no whole answer to */
  cuts: Record<Cut, number>;
  /** Lets everything pass from now on. */
  stop(): void;
}

/** Of so many messages one is cut. */
const ONE_IN = 4;

/**
 * Counts bytes, knows where a body begins, and breaks the connection after a number of them that chance says: with FIN or with RST, to both
 * sides alike. Each request comes by itself on its connection, as our hosts send them.
 */
export async function cuttingProxy(
  t: ExecutionContext,
  { port, where, chance }: { port: number; where: Cut; chance: Chance },
): Promise<CuttingProxy> {
  const cuts = { body: 0, answer: 0 };
  const sockets = new Set<Socket>();
  let cutting = true;
  const server = createServer((down) => {
    const up = connect(port, '127.0.0.1');
    for (const socket of [down, up]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    const part = () => {
      for (const socket of [down, up]) {
        if (chance() < 0.5) socket.resetAndDestroy();
        else socket.destroy();
      }
    };
    relay(
      down,
      up,
      (message) => {
        if (where !== 'body' || !cutting || between(chance, 0, ONE_IN) > 0) return undefined;
        // the headers and not all of the body
        return message.length > 0 ? message.start + between(chance, 0, message.length) : undefined;
      },
      () => {
        cuts.body++;
        part();
      },
    );
    relay(
      up,
      down,
      (message) => {
        if (where !== 'answer' || !cutting || between(chance, 0, ONE_IN) > 0) return undefined;
        // anywhere in it, from not a byte to all but one
        return between(chance, 0, message.start + message.length);
      },
      () => {
        cuts.answer++;
        part();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    cuts,
    stop() {
      cutting = false;
    },
  };
}

/** Where the body starts in the message, and its length. */
interface Message {
  start: number;
  length: number;
}

/** Passes messages on, one after the other; asks for each after how many of its bytes it is to be cut. */
function relay(from: Socket, to: Socket, cutAt: (message: Message) => number | undefined, cut: () => void): void {
  let held = Buffer.alloc(0);
  let current: { passed: number; end: number; cut: number | undefined } | undefined;
  from.on('data', (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      if (current === undefined) {
        const message = headOf(held);
        if (message === undefined) return;
        current = { passed: 0, end: message.start + message.length, cut: cutAt(message) };
      }
      const limit = current.cut ?? current.end;
      const piece = held.subarray(0, limit - current.passed);
      held = held.subarray(piece.length);
      current.passed += piece.length;
      if (piece.length > 0) to.write(piece);
      if (current.passed < limit) return;
      if (current.cut !== undefined) {
        from.removeAllListeners('data');
        // what was passed is on its way first
        setImmediate(cut);
        return;
      }
      current = undefined;
    }
  });
  from.on('end', () => to.end());
  from.on('close', () => to.destroy());
}

function headOf(bytes: Buffer): Message | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /^content-length: *(\d+)/im.exec(bytes.subarray(0, end).toString('latin1'))?.[1];
  return { start: end + 4, length: Number(length ?? 0) };
}
