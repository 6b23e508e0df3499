import type { IdleRules } from './idle-rules.ts';

/** hypridle.conf: `general { lock_cmd = … }`, `listener { timeout = 300, on-timeout = … }`, and `$variable = value` at the top. */
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
      const expanded = value.replace(/\$\w+/g, (name) => variables.get(name) ?? name);
      if (key.startsWith('$')) variables.set(key, expanded);
      else if (section === 'listener') listener[key] = expanded;
      else if (section === 'general' && key === 'lock_cmd') rules.onLock = expanded;
      else if (section === 'general' && key === 'before_sleep_cmd') rules.beforeSleep = expanded;
    }
  }
  return rules;
}

function addListener(listener: Record<string, string>, rules: IdleRules): void {
  const seconds = Number(listener['timeout'] ?? Number.NaN);
  const command = listener['on-timeout'];
  if (Number.isInteger(seconds) && seconds > 0 && command !== undefined) rules.timeouts.push({ seconds, command });
}
