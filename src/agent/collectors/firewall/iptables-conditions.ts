import {
  always,
  type Condition,
  coversManyByPrefix,
  coversManyByRange,
  coversMostPorts,
  isNeverOutside,
  never,
  perhaps,
  when,
} from './model.ts';

/** Extensions that pick out some packets of many: by list, by what only other protocols have. */
const SPECIFIC = new Set([
  'ah',
  'connbytes',
  'connmark',
  'cpu',
  'dccp',
  'dst',
  'ecn',
  'esp',
  'eui64',
  'frag',
  'hbh',
  'helper',
  'hl',
  'icmp',
  'icmp6',
  'ipv6header',
  'length',
  'mac',
  'mark',
  'mh',
  'owner',
  'physdev',
  'policy',
  'recent',
  'rpfilter',
  'rt',
  'sctp',
  'set',
  'string',
  'time',
  'ttl',
  'u32',
  'udp',
  'udplite',
]);

/**
 * Whether an option of an iptables rule holds for the probe (see model.ts).
 * @param extension the `-m` that it belongs to
 * @returns undefined for one that we do not know
 */
export function conditionOf(name: string, values: readonly string[], extension: string): Condition | undefined {
  const [value = ''] = values;
  switch (name) {
    case '-p':
      return when(['tcp', '6', 'all', '0'].includes(value));
    case '-s':
      return when(coversManyByPrefix(Number(/\/(\d+)$/.exec(value)?.[1] ?? 128)));
    case '--src-range':
      return when(coversManyByRange(value.split('-')[0] ?? '', value.split('-')[1] ?? ''));
    case '-d':
      return value.endsWith('/0') ? always : isNeverOutside(value) ? never : perhaps;
    case '--ctstate':
    case '--state':
      return when(value.split(',').includes('NEW'));
    case '--dport':
    case '--dports':
    case '--sport':
    case '--sports':
    case '--ports':
      return when(value.split(',').some(coversMost));
    case '--dst-type':
      return when(['LOCAL', 'UNICAST'].includes(value));
    case '--src-type':
      return when(value === 'UNICAST');
    case '--pkt-type':
      return when(value === 'unicast');
    case '--syn':
    case '--comment':
      return always;
    case '--tcp-flags':
      return when(values[1] === 'SYN');
    case '--connlimit-above':
    case '--hashlimit-above':
      return never;
    default:
      // Within a rate, a number of connections or an amount: what most see, and who comes first.
      if (['connlimit', 'hashlimit', 'limit', 'quota'].includes(extension)) return always;
      return SPECIFIC.has(extension) ? never : undefined;
  }
}

function coversMost(range: string): boolean {
  const [first = '', last = first] = range.split(':');
  return coversMostPorts(Number(first || 0), Number(last || 65_535));
}
