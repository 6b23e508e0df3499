import type { IncomingMessage } from 'node:http';

/** Where a request came in. */
export interface Arrival {
  /** as the operator knows the port: `8443`, `local` */
  port: string;
  local: boolean;
  deprecated: boolean;
  scheme: 'http' | 'https';
}

const arrivals = new WeakMap<IncomingMessage, () => Arrival>();

/** @param arrival asked when needed: settings may change while a connection stays */
export function markArrival(request: IncomingMessage, arrival: () => Arrival): void {
  arrivals.set(request, arrival);
}

export function arrivalOf(request: IncomingMessage): Arrival {
  const arrival = arrivals.get(request);
  if (arrival === undefined) throw new TypeError('a request came in by no port of ours');
  return arrival();
}

/** The caller's address; an IPv4 one as such, though the socket is one of IPv6 (RFC 4291 section 2.5.5.2). */
export function remoteAddress(socket: { remoteAddress?: string | undefined }): string {
  return socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? 'gone';
}
