import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { messageOf, OperatorError } from '../core/errors.ts';

export interface Place {
  port: number;
  /** all addresses where absent */
  host?: string;
}

/** @throws OperatorError that says why not, and what to do */
export async function listen(server: Server, { port, host }: Place): Promise<void> {
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new OperatorError(`cannot listen on ${host === undefined ? '' : `${host} `}port ${port}: ${why(cause)}`, {
      cause,
    });
  }
}

/**
 * Listens for a moment, to see whether one could.
 * @returns false where somebody has the port now, this very server perhaps
 * @throws OperatorError for any other reason why not
 */
export async function tryListening(place: Place): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, place);
    return true;
  } catch (error) {
    if (error instanceof OperatorError && codeOf(error.cause) === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}

const REASONS: Record<string, string> = {
  EACCES: 'this user may not take a port below 1024; take a higher one, or give the service CAP_NET_BIND_SERVICE',
  EADDRINUSE: 'another program has it (ss -ltnp tells which); end that, or change the settings',
  EADDRNOTAVAIL: 'this machine does not have that address; change the settings',
  ENOTFOUND: 'no address is known for that name; change the settings',
};

function why(error: unknown): string {
  return REASONS[codeOf(error) ?? ''] ?? messageOf(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
