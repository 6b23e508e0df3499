import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

const LOWEST = 10_000;

/**
 * A port of 127.0.0.1 that nobody has now, and that the kernel gives to nobody: below those that outgoing connections leave from.
 * A server that is killed and started again would else find that a client, which tried to reach it meanwhile, has its port.
 */
export async function freePort(): Promise<number> {
  const [lowest] = (await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')).split(/\s/).map(Number);
  for (;;) {
    const port = randomInt(LOWEST, Math.max(lowest ?? 0, 2 * LOWEST));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
