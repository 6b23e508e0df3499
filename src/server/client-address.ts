import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Middleware } from 'koa';
import { parseAddressRange } from '../settings/address-range.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { plainAddress, remoteAddress } from './arrival.ts';
import { slot } from './slot.ts';

/** Where the request came from: the peer, or what a trusted proxy says of it. */
export const clientAddress = slot<string>('client address');

/** Before anything that limits or logs. */
export function noteClientAddress({ settings }: { settings: () => ServerSettings }): Middleware {
  return async function noteClientAddress(ctx, next) {
    clientAddress.put(ctx, addressOf(ctx.req, proxiesOf(settings().trusted_proxies)));
    await next();
  };
}

const lists = new WeakMap<readonly string[], BlockList>();

/** Made once for each reading of the settings. */
function proxiesOf(ranges: readonly string[]): BlockList {
  const made = lists.get(ranges);
  if (made !== undefined) return made;
  const list = new BlockList();
  for (const range of ranges.flatMap((text) => parseAddressRange(text) ?? [])) {
    list.addSubnet(range.address, range.prefix, range.family);
  }
  lists.set(ranges, list);
  return list;
}

/**
 * Each proxy appends whom it got the request from, so the header is read from its end, for as long as whoever said it is trusted.
 * What stands before that, anybody may have written. The header `Forwarded` (RFC 7239) is not read: a proxy that writes the one
 * passes the other on as the client sent it.
 */
function addressOf(request: IncomingMessage, proxies: BlockList): string {
  let address = remoteAddress(request.socket);
  const header = request.headers['x-forwarded-for'];
  if (header === undefined) return address;
  const hops = String(header).split(',');
  while (isTrusted(address, proxies)) {
    const said = readHop(hops.pop());
    if (said === undefined) break;
    address = said;
  }
  return address;
}

function isTrusted(address: string, proxies: BlockList): boolean {
  return isIP(address) !== 0 && proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** An address, with its port where the proxy adds it. */
function readHop(text: string | undefined): string | undefined {
  const hop = text?.trim() ?? '';
  const [, bracketed, dotted] = /^\[([^\]]+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(hop) ?? [];
  const address = bracketed ?? dotted ?? hop;
  return isIP(address) === 0 ? undefined : plainAddress(address);
}
