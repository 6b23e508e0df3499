import { type Fields, isFields, type Value } from '../../../core/value.ts';
import {
  type Condition,
  comesInBy,
  coversManyByPrefix,
  coversManyByRange,
  coversMostPorts,
  type Holds,
  isNeverOutside,
  never,
  not,
  perhaps,
  when,
} from './model.ts';

/** Elements of a table's named sets and maps. */
export type NamedSets = ReadonlyMap<string, Value>;

/** Whether `match` of nft's JSON (libnftables-json(5)) holds for the probe (see model.ts). */
export function matchCondition(match: Fields, sets: NamedSets): Condition {
  const { op, left, right } = match;
  if (left === undefined || right === undefined) return perhaps;
  const condition = keyCondition(left, right, sets);
  if (op === '!=') return negated(left, condition);
  return op === '==' || op === 'in' ? condition : perhaps;
}

/** @param key what is looked at @param value what it is to be: one, a range, or a set of them */
export function keyCondition(key: Value, value: Value, sets: NamedSets): Condition {
  const [kind, of] = Object.entries(isFields(key) ? key : {})[0] ?? [];
  const what = isFields(of) ? of : {};
  const values = elements(value, sets);
  switch (kind) {
    case 'meta':
      return metaCondition(String(what['key']), values);
    case 'ct':
      return ctCondition(String(what['key']), values);
    case 'payload':
      return payloadCondition(String(what['protocol']), String(what['field']), values);
    case 'fib':
      return what['result'] === 'type' ? when(values.includes('local')) : never;
    case 'concat':
      return concatCondition(Array.isArray(of) ? of : [], values, sets);
    default:
      return perhaps;
  }
}

/** Several keys together (`ip saddr . tcp dport`): one element of which all parts hold is enough. */
function concatCondition(keys: readonly Value[], values: readonly Value[], sets: NamedSets): Condition {
  const each = values.map((value) => {
    const parts = isFields(value) ? value['concat'] : undefined;
    if (!Array.isArray(parts) || parts.length !== keys.length) return [perhaps];
    return keys.map((key, index) => keyCondition(key, parts[index] ?? null, sets));
  });
  return (probe) => best(each.map((parts) => worst(parts.map((part) => part(probe)))));
}

function best(all: readonly Holds[]): Holds {
  if (all.includes('yes')) return 'yes';
  return all.includes('maybe') ? 'maybe' : 'no';
}

function worst(all: readonly Holds[]): Holds {
  if (all.includes('no')) return 'no';
  return all.includes('maybe') ? 'maybe' : 'yes';
}

/** Those that ask for a protocol first do not hold for others, negated or not. */
function negated(left: Value, condition: Condition): Condition {
  const payload = isFields(left) ? left['payload'] : undefined;
  const protocol = isFields(payload) ? payload['protocol'] : undefined;
  if (protocol === 'ip' || protocol === 'ip6')
    return (probe) => (probe.family === protocol ? not(condition)(probe) : 'no');
  if (protocol !== undefined && protocol !== 'tcp' && protocol !== 'th') return condition;
  return not(condition);
}

function elements(value: Value, sets: NamedSets): Value[] {
  if (typeof value === 'string' && value.startsWith('@')) return elements(sets.get(value.slice(1)) ?? [], sets);
  if (Array.isArray(value)) return value.flatMap((each) => elements(each, sets));
  if (isFields(value) && value['set'] !== undefined) return elements(value['set'], sets);
  if (isFields(value) && isFields(value['elem'])) return elements(value['elem']['val'] ?? [], sets);
  return [value];
}

function metaCondition(key: string, values: readonly Value[]): Condition {
  switch (key) {
    case 'iifname':
    case 'iif':
      return comesInBy(values.map(String), '*');
    case 'l4proto':
      return when(values.includes('tcp') || values.includes(6));
    case 'nfproto':
      return (probe) => (values.includes(probe.family === 'ip' ? 'ipv4' : 'ipv6') ? 'yes' : 'no');
    case 'protocol':
      return (probe) => (values.includes(probe.family) ? 'yes' : 'no');
    case 'pkttype':
      return when(values.includes('host') || values.includes('unicast'));
    case 'mark':
    case 'skuid':
    case 'skgid':
    case 'oif':
    case 'oifname':
      return never;
    default:
      return perhaps;
  }
}

function ctCondition(key: string, values: readonly Value[]): Condition {
  if (key === 'state') return when(values.includes('new'));
  if (key === 'direction') return when(values.includes('original'));
  return key === 'status' || key === 'mark' || key === 'helper' ? never : perhaps;
}

function payloadCondition(protocol: string, field: string, values: readonly Value[]): Condition {
  if (protocol === 'tcp' || protocol === 'th') {
    if (field === 'dport' || field === 'sport') return when(values.some(coversMost));
    return perhaps;
  }
  if (protocol !== 'ip' && protocol !== 'ip6') return never;
  if (field === 'saddr') return when(values.some(coversManyAddresses));
  if (field === 'daddr') return values.every(isNeverOutsideValue) ? never : perhaps;
  if (field === 'protocol' || field === 'nexthdr') {
    const tcp = values.includes('tcp') || values.includes(6);
    return (probe) => (tcp && probe.family === protocol ? 'yes' : 'no');
  }
  return perhaps;
}

function coversMost(value: Value): boolean {
  const range = isFields(value) ? value['range'] : undefined;
  return Array.isArray(range) && coversMostPorts(Number(range[0]), Number(range[1]));
}

function coversManyAddresses(value: Value): boolean {
  const prefix = isFields(value) ? value['prefix'] : undefined;
  if (isFields(prefix)) return coversManyByPrefix(Number(prefix['len']));
  const range = isFields(value) ? value['range'] : undefined;
  return Array.isArray(range) && coversManyByRange(String(range[0]), String(range[1]));
}

function isNeverOutsideValue(value: Value): boolean {
  const prefix = isFields(value) ? value['prefix'] : undefined;
  const address = isFields(prefix) ? prefix['addr'] : value;
  return typeof address === 'string' && isNeverOutside(address);
}
