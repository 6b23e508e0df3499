import { seconds } from '../../core/duration.ts';
import { type Collector, type HostAccess, UNKNOWN } from '../collector.ts';
import { statusOf } from './firewall/evaluate.ts';
import type { Family, Filter } from './firewall/model.ts';
import { familiesInUse, outsideDevices } from './firewall/network.ts';
import type { Iptables } from './firewall/parse-iptables.ts';
import type { NftTable } from './firewall/parse-nft.ts';
import {
  isFilterLoaded,
  isFilterUnloaded,
  isIptablesTable,
  PROGRAMS,
  readIptables,
  readLegacy,
  readNft,
  type Seen,
} from './firewall/read-filters.ts';
import { textOf } from './lenient.ts';

export const firewall = {
  name: 'firewall',
  describe: 'whether a packet filter keeps connections from outside away',
  timeout: seconds(90),
  collect: collectFirewall,
} satisfies Collector;

type Status = 'on' | 'off' | typeof UNKNOWN;

/** Everything that can be seen of the kernel's packet filters. */
interface Rules {
  nft: Seen<NftTable[]>;
  iptables: Record<Family, Seen<Iptables>>;
  legacy: Record<Family, Seen<Iptables>>;
}

type Judge = (filters: readonly Filter[], families?: readonly Family[]) => Status;

/** What nothing is known of: it may let the probe pass, or not. */
const UNSEEN: Filter = {
  chains: new Map([['?', [{ conditions: [], action: { do: 'unknown' } }]]]),
  entrances: [{ families: ['ip', 'ip6'], chain: '?', policy: 'accept' }],
};

async function collectFirewall(host: HostAccess): Promise<unknown> {
  const [rules, families, devices] = await Promise.all([readRules(host), familiesInUse(host), outsideDevices(host)]);
  const judge: Judge = (filters, of = families) => statusOf(filters, of, devices);
  const installed = (await host.find('firewalld')) !== undefined;
  const layers = {
    ...iptablesLayers(rules.iptables, '', judge),
    ...iptablesLayers(rules.legacy, '_legacy', judge),
    ...nftLayer(rules, judge),
    ...(installed ? { firewalld: { status: firewalldStatus(rules, judge) } } : {}),
    ...(await ufwLayer(host, rules, judge)),
  };
  return { status: await overall(host, rules, installed, judge), layers };
}

async function readRules(host: HostAccess): Promise<Rules> {
  const nft = await readNft(host);
  const [ip, ip6, legacyIp, legacyIp6] = await Promise.all([
    readIptables(host, 'ip', nft),
    readIptables(host, 'ip6', nft),
    readLegacy(host, 'ip'),
    readLegacy(host, 'ip6'),
  ]);
  return { nft, iptables: { ip, ip6 }, legacy: { ip: legacyIp, ip6: legacyIp6 } };
}

async function overall(host: HostAccess, rules: Rules, firewalldInstalled: boolean, judge: Judge): Promise<Status> {
  const all = [rules.nft, ...Object.values(rules.iptables), ...Object.values(rules.legacy)];
  const filters = [...nftFilters(rules), ...iptablesFilters(rules.iptables), ...iptablesFilters(rules.legacy)];
  const unseen =
    all.includes('unreadable') ||
    (rules.nft === 'absent' && firewalldInstalled) ||
    (all.every((seen) => seen === 'absent') && (await isFilterLoaded(host)));
  if (unseen && (await isFilterUnloaded(host))) return 'off';
  return judge(unseen ? [...filters, UNSEEN] : filters);
}

function iptablesFilters(iptables: Record<Family, Seen<Iptables>>): Filter[] {
  return Object.values(iptables).flatMap((seen) => (typeof seen === 'string' ? [] : [seen.filter]));
}

/** iptables shows its own table better than nft does, which knows its extensions by name only. */
function nftFilters({ nft, iptables }: Rules): Filter[] {
  const shown = (table: NftTable) =>
    (['ip', 'ip6'] as const).some((family) => typeof iptables[family] !== 'string' && isIptablesTable(table, family));
  return typeof nft === 'string' ? [] : nft.filter((table) => !shown(table)).map(({ filter }) => filter);
}

function iptablesLayers(
  iptables: Record<Family, Seen<Iptables>>,
  suffix: string,
  judge: Judge,
): Record<string, unknown> {
  const layers: Record<string, unknown> = {};
  for (const family of ['ip', 'ip6'] as const) {
    const seen = iptables[family];
    if (seen === 'absent') continue;
    layers[`${PROGRAMS[family]}${suffix}`] =
      seen === 'unreadable' ? { status: UNKNOWN } : { policies: seen.policies, status: judge([seen.filter], [family]) };
  }
  return layers;
}

function nftLayer(rules: Rules, judge: Judge): Record<string, unknown> {
  if (rules.nft === 'absent') return {};
  if (rules.nft === 'unreadable') return { nftables: { status: UNKNOWN } };
  const tables = rules.nft.map(({ family, name }) => `${family} ${name}`).sort();
  const through = (['ip', 'ip6'] as const).flatMap((family) => {
    const seen = rules.iptables[family];
    return typeof seen !== 'string' && tables.includes(`${family} filter`) ? [seen.filter] : [];
  });
  return { nftables: { status: judge([...nftFilters(rules), ...through]), tables } };
}

/** Neither its unit nor `firewall-cmd --state` says what it lets in: its default zone may be `trusted`. */
function firewalldStatus(rules: Rules, judge: Judge): Status {
  if (typeof rules.nft === 'string') return UNKNOWN;
  const own = rules.nft.filter(({ name }) => name === 'firewalld').map(({ filter }) => filter);
  const old = iptablesFilters(rules.iptables).filter(({ chains }) => chains.has('INPUT_ZONES'));
  return judge([...own, ...old]);
}

/** ufw's unit is active whether or not ufw is; its settings are for everybody to read. */
async function ufwLayer(host: HostAccess, rules: Rules, judge: Judge): Promise<Record<string, unknown>> {
  const settings = await textOf(host, '/etc/ufw/ufw.conf');
  if (settings === undefined) return {};
  // Blanks of this line alone: \s would go through all empty lines again for each of them.
  if (!/^[ \t]*ENABLED[ \t]*=[ \t]*["']?yes\b/im.test(settings)) return { ufw: { status: 'off' } };
  if (Object.values(rules.iptables).includes('unreadable')) return { ufw: { status: UNKNOWN } };
  return {
    ufw: { status: judge(iptablesFilters(rules.iptables).filter(isUfws)) },
  };
}

function isUfws({ chains }: Filter): boolean {
  return chains.has('ufw-before-input') || chains.has('ufw6-before-input');
}
