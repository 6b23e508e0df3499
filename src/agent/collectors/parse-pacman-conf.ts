export interface PacmanConf {
  /** of [options]: key → its values in order */
  options: Map<string, string[]>;
  repositories: { name: string; settings: Map<string, string[]> }[];
}

/** Reads what `pacman-conf` prints: sections of `KEY = VALUE`, a key again for each of its values, and keys that stand alone. */
export function parsePacmanConf(text: string): PacmanConf {
  const conf: PacmanConf = { options: new Map(), repositories: [] };
  let settings = conf.options;
  for (const line of text.split('\n')) {
    const name = /^\[([^\]]+)\]$/.exec(line)?.[1];
    if (name !== undefined) {
      settings = name === 'options' ? conf.options : new Map();
      if (name !== 'options') conf.repositories.push({ name, settings });
      continue;
    }
    const [, key, value = ''] = /^(\w+)(?: = (.*))?$/.exec(line) ?? [];
    if (key !== undefined) settings.set(key, [...(settings.get(key) ?? []), value]);
  }
  return conf;
}
