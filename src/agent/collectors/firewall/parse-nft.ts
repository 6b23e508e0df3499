import { type Fields, isFields, type Value } from '../../../core/value.ts';
import { parseJson } from '../parse-json.ts';
import {
  type Action,
  type Condition,
  type Entrance,
  type Family,
  type Filter,
  never,
  perhaps,
  type Rule,
  when,
} from './model.ts';
import { keyCondition, matchCondition, type NamedSets } from './nft-conditions.ts';

export interface NftTable {
  family: string;
  name: string;
  filter: Filter;
  /** policies of the chains at the hooks of the filter, as `iptables -S` would name them */
  policies: Record<string, string>;
}

const FAMILIES: Readonly<Record<string, readonly Family[]>> = { ip: ['ip'], ip6: ['ip6'], inet: ['ip', 'ip6'] };

/** Reads `nft -j list ruleset`. @returns undefined where it is no such thing */
export function parseNft(output: string): NftTable[] | undefined {
  const root = parseJson(output);
  const objects = isFields(root) ? root['nftables'] : undefined;
  if (!Array.isArray(objects)) return undefined;
  const kinds = objects.filter(isFields);
  const all = (kind: string) =>
    kinds
      .map((each) => each[kind])
      .filter((each) => each !== undefined)
      .filter(isFields);
  return all('table').map((table) => {
    const own = (kind: string) =>
      all(kind).filter((each) => each['family'] === table['family'] && each['table'] === table['name']);
    return readTable(table, own);
  });
}

function readTable(table: Fields, own: (kind: string) => Fields[]): NftTable {
  const family = String(table['family']);
  const sets: NamedSets = new Map(
    [...own('set'), ...own('map')].map((set) => [String(set['name']), set['elem'] ?? []]),
  );
  const chains = new Map<string, Rule[]>(own('chain').map((chain) => [String(chain['name']), []]));
  for (const rule of own('rule')) {
    const expressions = Array.isArray(rule['expr']) ? rule['expr'].filter(isFields) : [];
    chains.get(String(rule['chain']))?.push(...readRule(expressions, sets));
  }
  const hooked = own('chain').filter((chain) => chain['type'] === 'filter');
  return {
    family,
    name: String(table['name']),
    filter: {
      chains,
      entrances: hooked.filter(({ hook }) => hook === 'input').map((chain) => entranceOf(chain, family)),
    },
    policies: Object.fromEntries(hooked.map((chain) => [String(chain['name']), String(chain['policy']).toUpperCase()])),
  };
}

function entranceOf(chain: Fields, family: string): Entrance {
  return {
    families: FAMILIES[family] ?? [],
    chain: String(chain['name']),
    policy: chain['policy'] === 'drop' ? 'block' : 'accept',
  };
}

/** One rule, or several where it looks the verdict up in a map. */
function readRule(expressions: readonly Fields[], sets: NamedSets): Rule[] {
  const conditions: Condition[] = [];
  for (const expression of expressions) {
    const [entry] = Object.entries(expression);
    if (entry === undefined) continue;
    const [kind, value] = entry;
    if (kind === 'vmap') return readMap(conditions, value, sets);
    const action = verdictAction(kind, value);
    if (action !== undefined) return [{ conditions, action }];
    const condition = statementCondition(kind, value, sets);
    if (condition !== undefined) conditions.push(condition);
  }
  return [{ conditions, action: { do: 'continue' } }];
}

function readMap(conditions: readonly Condition[], vmap: Value, sets: NamedSets): Rule[] {
  const key = isFields(vmap) ? vmap['key'] : undefined;
  const data = isFields(vmap) ? vmap['data'] : undefined;
  const named = typeof data === 'string' ? sets.get(data.replace(/^@/, '')) : isFields(data) ? data['set'] : undefined;
  return (Array.isArray(named) ? named : []).flatMap((element) => {
    if (!Array.isArray(element) || key === undefined) return [];
    const [value, verdict] = element;
    const [kind, target] = Object.entries(isFields(verdict) ? verdict : {})[0] ?? [];
    const action = kind === undefined ? undefined : verdictAction(kind, target ?? null);
    if (action === undefined || value === undefined) return [];
    return [{ conditions: [...conditions, keyCondition(key, value, sets)], action }];
  });
}

function verdictAction(kind: string, value: Value): Action | undefined {
  const chain = isFields(value) ? String(value['target']) : '';
  switch (kind) {
    case 'accept':
    case 'return':
    case 'continue':
      return { do: kind };
    case 'drop':
    case 'reject':
      return { do: 'block' };
    case 'jump':
    case 'goto':
      return { do: kind, chain };
    case 'queue':
    case 'synproxy':
      return { do: 'unknown' };
    case 'xt':
      return isFields(value) && value['type'] === 'target' ? xtTarget(String(value['name'])) : undefined;
    default:
      return undefined;
  }
}

/** Targets of iptables that nft knows by name only. */
function xtTarget(name: string): Action {
  if (name === 'REJECT' || name === 'TARPIT') return { do: 'block' };
  return { do: name === 'NFQUEUE' ? 'unknown' : 'continue' };
}

/** Matches of iptables that hold for the probe, or may: nft does not show what they ask for. */
const XT_UNCERTAIN = new Set(
  'addrtype bpf cgroup connlimit conntrack hashlimit iprange limit pkttype quota socket state statistic tcp'.split(' '),
);

/** @returns undefined for a statement that is none, such as a counter */
function statementCondition(kind: string, value: Value, sets: NamedSets): Condition | undefined {
  if (kind === 'match') return isFields(value) ? matchCondition(value, sets) : perhaps;
  // Within a rate, a number of connections or an amount: what most see, and who comes first; beyond it, what few see.
  if (kind === 'limit' || kind === 'ct count' || kind === 'quota')
    return when(!(isFields(value) && value['inv'] === true));
  if (kind !== 'xt') return undefined;
  if (!isFields(value)) return perhaps;
  if (value['name'] === 'comment') return undefined;
  return XT_UNCERTAIN.has(String(value['name'])) ? perhaps : never;
}
