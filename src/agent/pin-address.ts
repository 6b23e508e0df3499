import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { dirname } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';
import { EXIT } from './exit-codes.ts';
import { makeFolder } from './places.ts';
import { readFollowing } from './read-hostile.ts';
import { writeAtomically } from './write-atomically.ts';

export interface Pinning {
  /** the server's */
  url: string;
  /** drop-in of the submitter's unit, which is written */
  dropIn: string;
  /** where the system's resolver finds who answers its questions */
  resolvers?: string;
  /** all addresses of a name, as the system finds them */
  lookup?: (name: string) => Promise<string[]>;
}

/**
 * Lets the submitter's unit speak with the server's present addresses alone and, where the server is known by a name, with those who are asked
 * for names.
 * @returns the server's addresses
 */
export async function pinAddress({
  url,
  dropIn,
  resolvers = '/etc/resolv.conf',
  lookup = all,
}: Pinning): Promise<string[]> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) === 0 ? await addressesOf(host, lookup) : [host];
  const servers = isIP(host) === 0 ? await nameServers(resolvers) : [];
  await makeFolder(dirname(dropIn), 0o755);
  await writeAtomically(dropIn, dropInText(host, addresses, servers), 0o644);
  return addresses;
}

async function all(name: string): Promise<string[]> {
  return (await systemLookup(name, { all: true })).map(({ address }) => address);
}

async function addressesOf(host: string, lookup: (name: string) => Promise<string[]>): Promise<string[]> {
  try {
    return [...new Set(await lookup(host))].sort();
  } catch (cause) {
    throw new OperatorError(`cannot pin the address of ${host}: ${messageOf(cause)}`, {
      exitCode: EXIT.tryAgain,
      cause,
    });
  }
}

/** resolv.conf(5) */
async function nameServers(path: string): Promise<string[]> {
  const text = (await readFollowing(path, 64 * 1024).catch(() => undefined))?.toString('utf8') ?? '';
  const found = [...text.matchAll(/^nameserver\s+([^\s%]+)/gm)].map(([, address = '']) => address);
  return [...new Set(found.filter((address) => isIP(address) !== 0))];
}

function dropInText(host: string, addresses: readonly string[], servers: readonly string[]): string {
  return [
    '# Written by penguindome-agent enroll --pin-address. Where the server gets another address: the same command, or remove this file.',
    '[Service]',
    `# ${host}`,
    ...addresses.map((address) => `IPAddressAllow=${address}`),
    ...(servers.length === 0 ? [] : ['# who is asked for its name']),
    ...servers.map((address) => `IPAddressAllow=${address}`),
    'IPAddressDeny=any',
    '',
  ].join('\n');
}
