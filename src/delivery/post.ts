import { type LookupAddress, type LookupAllOptions, lookup as resolve } from 'node:dns';
import { type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { type Milliseconds, seconds } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import { DeliveryFailed } from './failure.ts';
import { isInRanges, isPublicAddress } from './public-address.ts';

export interface Post {
  url: URL;
  headers: Record<string, string>;
  body: string;
  /** PEM of further authorities */
  ca?: string;
  /** ranges that are not public, and may be posted to all the same */
  allowed: readonly string[];
  timeout: Milliseconds;
  signal: AbortSignal;
  /** as dns.lookup; tests choose what a name resolves to */
  lookup?: Lookup;
}

/** As dns.lookup. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** What is read of an answer's body, which nobody looks at. */
const LARGEST_ANSWER = 64 * 1024;

/**
 * Posts once, on a connection of its own. Follows no redirects. The address is looked at when it is connected to, so that a name that
 * changes its mind after it was resolved gets no further than one that was private from the start.
 * @throws DeliveryFailed unless the answer is 2xx
 */
export async function post({
  url,
  headers,
  body,
  ca,
  allowed,
  timeout,
  signal,
  lookup = resolve,
}: Post): Promise<void> {
  const isAllowed = (address: string) => isPublicAddress(address) || isInRanges(address, allowed);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // No name, nothing to look up.
  if (isIP(host) !== 0 && !isAllowed(host)) throw refused(host);
  const over = AbortSignal.timeout(timeout);
  const options = {
    method: 'POST',
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    agent: false as const,
    lookup: lookupOnly(isAllowed, lookup),
    signal: AbortSignal.any([signal, over]),
    ...(ca === undefined ? {} : { ca }),
  };
  try {
    const response = await exchange((url.protocol === 'https:' ? secure : plain)(url, options), body, isAllowed);
    judge(response);
  } catch (error) {
    if (error instanceof DeliveryFailed) throw error;
    const reason = over.aborted ? `no answer within ${timeout / 1000} s` : messageOf(error);
    throw new DeliveryFailed(reason, { unreachable: true, cause: error });
  }
}

/** @returns the answer, its body read or cut off */
function exchange(
  request: ReturnType<typeof plain>,
  body: string,
  isAllowed: (address: string) => boolean,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('socket', (socket: Socket) => {
      // The body is not sent before: `connect` comes first.
      socket.once('connect', () => {
        if (socket.remoteAddress === undefined || !isAllowed(socket.remoteAddress)) {
          request.destroy(refused(socket.remoteAddress ?? 'an address that is gone'));
        }
      });
    });
    request.on('response', (response) => {
      let read = 0;
      const done = () => resolve(response);
      response.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read > LARGEST_ANSWER) response.destroy();
      });
      // The status is there, and says it: what becomes of the rest does not matter.
      response.on('end', done).on('close', done).on('error', done);
    });
    request.end(body);
  });
}

function judge({ statusCode = 0, headers }: IncomingMessage): void {
  if (statusCode >= 200 && statusCode < 300) return;
  const redirect = statusCode >= 300 && statusCode < 400 ? '; redirects are not followed' : '';
  const wait = statusCode === 429 || statusCode === 503 ? waitIn(headers['retry-after']) : undefined;
  throw new DeliveryFailed(`it answered ${statusCode}${redirect}`, {
    // It asked to be left alone, or cannot: the others would fare no better.
    unreachable: statusCode === 429 || statusCode >= 500,
    ...(wait === undefined ? {} : { retryAfter: wait }),
  });
}

/** RFC 9110 section 10.2.3, in seconds; dates are rare, and not read. */
function waitIn(header: string | undefined): Milliseconds | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? seconds(Number(header)) : undefined;
}

/** Gives the connection only addresses that it may have. */
function lookupOnly(isAllowed: (address: string) => boolean, lookup: Lookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const allowed = addresses.filter(({ address }) => isAllowed(address));
      const [first] = allowed;
      if (first === undefined) return callback(refused(hostname), '', 0);
      if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function refused(what: string): DeliveryFailed {
  return new DeliveryFailed(`${what} is at no public address, and allow_addresses does not name it`, {
    unreachable: true,
  });
}
