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

/** The address of who holds the connection. */
export function remoteAddress(socket: { remoteAddress?: string | undefined }): string {
  return socket.remoteAddress === undefined ? 'gone' : plainAddress(socket.remoteAddress);
}

/** An IPv4 address as such, though it is mapped into IPv6 (RFC 4291 section 2.5.5.2). */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
