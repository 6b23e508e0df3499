import { conditionOf } from './iptables-conditions.ts';
import { type Action, type Condition, comesInBy, type Family, type Filter, not, perhaps, type Rule } from './model.ts';

export interface Iptables {
  filter: Filter;
  /** of the built-in chains, in the original's words: ACCEPT, DROP */
  policies: Record<string, string>;
}

/** Reads `iptables -S`. */
export function parseIptables(output: string, family: Family): Iptables {
  const policies: Record<string, string> = {};
  const chains = new Map<string, Rule[]>();
  const lines = output.split('\n').map(words);
  for (const [command, chain, policy] of lines) {
    if (chain === undefined || (command !== '-P' && command !== '-N')) continue;
    chains.set(chain, []);
    if (command === '-P' && policy !== undefined) policies[chain] = policy;
  }
  for (const [command, chain, ...spec] of lines) {
    if (command === '-A' && chain !== undefined) chains.get(chain)?.push(parseRule(spec, chains));
  }
  const input = policies['INPUT'];
  const entrances =
    input === undefined
      ? []
      : [{ families: [family], chain: 'INPUT', policy: input === 'ACCEPT' ? ('accept' as const) : ('block' as const) }];
  return { filter: { chains, entrances }, policies };
}

/** Splits as iptables quotes: double quotes around what holds a space. */
function words(line: string): string[] {
  return (line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, '$1'));
}

interface Option {
  name: string;
  values: string[];
  negated: boolean;
}

function parseRule(spec: readonly string[], chains: ReadonlyMap<string, unknown>): Rule {
  const conditions: Condition[] = [];
  let action: Action = { do: 'continue' };
  let extension = '';
  for (const option of options(spec)) {
    const [value = ''] = option.values;
    if (option.name === '-m') extension = value;
    else if (option.name === '-g') action = { do: 'goto', chain: value };
    else if (option.name === '-j') {
      action = actionOf(value, chains);
      // What follows are options of the target.
      break;
    } else conditions.push(option.negated ? not(conditionFor(option, extension)) : conditionFor(option, extension));
  }
  return { conditions, action };
}

function options(spec: readonly string[]): Option[] {
  const found: Option[] = [];
  let negated = false;
  for (const word of spec) {
    if (word === '!') negated = true;
    else if (/^--?[a-z]/i.test(word)) {
      found.push({ name: word, values: [], negated });
      negated = false;
    } else found.at(-1)?.values.push(word);
  }
  return found;
}

function conditionFor({ name, values }: Option, extension: string): Condition {
  if (name === '-i') return comesInBy(values, '+');

  return conditionOf(name, values, extension) ?? perhaps;
}

/** Targets that leave the packet to the next rule. */
const PASSIVE = new Set([
  'LOG',
  'NFLOG',
  'ULOG',
  'MARK',
  'CONNMARK',
  'CT',
  'NOTRACK',
  'TCPMSS',
  'CHECKSUM',
  'SET',
  'TRACE',
  'CLASSIFY',
  'TOS',
  'DSCP',
  'SECMARK',
  'CONNSECMARK',
  'AUDIT',
]);

function actionOf(target: string, chains: ReadonlyMap<string, unknown>): Action {
  if (chains.has(target)) return { do: 'jump', chain: target };
  if (target === 'ACCEPT') return { do: 'accept' };
  if (target === 'DROP' || target === 'REJECT' || target === 'TARPIT') return { do: 'block' };
  if (target === 'RETURN') return { do: 'return' };
  return { do: PASSIVE.has(target) ? 'continue' : 'unknown' };
}
