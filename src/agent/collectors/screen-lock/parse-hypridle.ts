import type { IdleRules } from './idle-rules.ts';

const MOST_VARIABLES = 100;
/** characters of a value, once the variables are put in: each may hold the one before it twice */
const LONGEST_VALUE = 4096;

/**
 * hypridle.conf: `general { lock_cmd = … }`, `listener { timeout = 300, on-timeout = … }`, and `$variable = value` at the top.
 * @throws where its variables are more, or larger, than anybody needs
 */
export function parseHypridle(text: string): IdleRules {
  const rules: IdleRules = { timeouts: [] };
  const variables = new Map<string, string>();
  let section = '';
  let listener: Record<string, string> = {};
  for (const raw of text.split('\n')) {
    // `##` is a # of the value.
    const line = raw.replace(/##/g, '\0').replace(/#.*/, '').replace(/\0/g, '#').trim();
    const opened = /^([\w-]+)\s*\{$/.exec(line)?.[1];
    if (opened !== undefined) {
      section = opened;
      listener = {};
    } else if (line === '}') {
      if (section === 'listener') addListener(listener, rules);
      section = '';
    } else {
      const [, key, value] = /^(\$?[\w-]+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key === undefined || value === undefined) continue;
      const expanded = expand(value, variables);
      if (key.startsWith('$')) setVariable(key, expanded, variables);
      else if (section === 'listener') listener[key] = expanded;
      else if (section === 'general' && key === 'lock_cmd') rules.onLock = expanded;
      else if (section === 'general' && key === 'before_sleep_cmd') rules.beforeSleep = expanded;
    }
  }
  return rules;
}

function expand(value: string, variables: ReadonlyMap<string, string>): string {
  let expanded = '';
  let done = 0;
  for (const { 0: name, index } of value.matchAll(/\$\w+/g)) {
    expanded += value.slice(done, index) + (variables.get(name) ?? name);
    done = index + name.length;
    if (expanded.length > LONGEST_VALUE) throw new Error(`a value is longer than ${LONGEST_VALUE} characters`);
  }
  return expanded + value.slice(done);
}

function setVariable(name: string, value: string, variables: Map<string, string>): void {
  if (value.length > LONGEST_VALUE) throw new Error(`a value is longer than ${LONGEST_VALUE} characters`);
  variables.set(name, value);
  if (variables.size > MOST_VARIABLES) throw new Error(`there are more than ${MOST_VARIABLES} variables`);
}

function addListener(listener: Record<string, string>, rules: IdleRules): void {
  const seconds = Number(listener['timeout'] ?? Number.NaN);
  const command = listener['on-timeout'];
  if (Number.isInteger(seconds) && seconds > 0 && command !== undefined) rules.timeouts.push({ seconds, command });
}
