import { isIP } from 'node:net';
import { hours, minutes, seconds } from '../../core/duration.ts';
import { isFields } from '../../core/value.ts';
import { type Collector, type CollectorTools, type HostAccess, UNKNOWN } from '../collector.ts';
import { parseJson } from './parse-json.ts';

/** The original's shape. */
export interface PublicAddresses {
  public_ipv4: string;
  public_ipv6: string;
}

export const ipAddresses = {
  name: 'ip_addresses',
  describe: 'the addresses that others see this machine under; asks a server, where the settings name one',
  timeout: minutes(1),
  collect: tellAddresses,
} satisfies Collector;

const NEITHER: PublicAddresses = { public_ipv4: UNKNOWN, public_ipv6: UNKNOWN };
/** Nobody is asked again for that long, as long as the machine's own addresses are the same. */
const FRESH = hours(1);
const KEY = 'answer';

/** @returns with `reason` where whoever asks outside has left nothing to go by */
async function tellAddresses(host: HostAccess, tools: CollectorTools): Promise<PublicAddresses & { reason?: string }> {
  if (tools.settings.ip_addresses === undefined) return NEITHER;
  const left = await tools.left('ip_addresses');
  if (left === undefined) return publicAddresses(host, tools);
  if ('reason' in left) return { ...NEITHER, reason: left.reason };
  if (!isFields(left.value)) return { ...NEITHER, reason: 'what was left of the answer is no pair of addresses' };
  return addressesIn(left.value);
}

export async function publicAddresses(host: HostAccess, tools: CollectorTools): Promise<PublicAddresses> {
  const asked = tools.settings.ip_addresses;
  if (asked === undefined) return NEITHER;
  const from = ownAddresses(host);
  const kept = await tools.recall(KEY);
  const age = kept === undefined ? -1 : host.now().getTime() - kept.at.getTime();
  if (age >= 0 && age < FRESH && isFields(kept?.value) && kept.value['from'] === `${asked.url} ${from}`) {
    return addressesIn(kept.value);
  }
  const ask = async (family: 4 | 6) => {
    try {
      const { status, text } = await host.ask({
        url: new URL(asked.url),
        family,
        timeout: seconds(15),
        ...(asked.ca === undefined ? {} : { ca: asked.ca }),
      });
      return status === 200 ? addressIn(isFields(parseJson(text)) ? fieldOf(text) : text, family) : UNKNOWN;
    } catch {
      // Without a network, or without a way there in this family, there is no such address.
      return UNKNOWN;
    }
  };
  const [public_ipv4, public_ipv6] = await Promise.all([ask(4), ask(6)]);
  const answer = { public_ipv4, public_ipv6 };
  if (public_ipv4 !== UNKNOWN || public_ipv6 !== UNKNOWN)
    await tools.keep(KEY, { from: `${asked.url} ${from}`, ...answer });
  return answer;
}

/** Another network mostly gives another address. Those that IPv6 changes every day by design cost one more question then. */
function ownAddresses(host: HostAccess): string {
  const addresses = Object.values(host.networkInterfaces()).flatMap((device) => device ?? []);
  return addresses
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
    .sort()
    .join(' ');
}

/** Services answer with the address alone, or with JSON that has it under `ip` or `address`. */
function fieldOf(text: string): unknown {
  const value = parseJson(text);
  return isFields(value) ? (value['ip'] ?? value['address']) : undefined;
}

function addressesIn(value: Record<string, unknown>): PublicAddresses {
  return { public_ipv4: addressIn(value['public_ipv4'], 4), public_ipv6: addressIn(value['public_ipv6'], 6) };
}

function addressIn(value: unknown, family: 4 | 6): string {
  if (typeof value !== 'string') return UNKNOWN;
  // A server that listens on IPv6 for both sees IPv4 so.
  const address = value
    .trim()
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.)/, '');
  return isIP(address) === family ? address : UNKNOWN;
}
