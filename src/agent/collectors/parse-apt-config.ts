export interface AptConfig {
  /** as it was set last; names are the same in any case */
  value(name: string): string | undefined;
  /** members of a list, in order, whatever their own names */
  list(name: string): string[];
}

/** Reads `apt-config dump`: `APT::Periodic::Enable "1";`, and members of a list as `NAME:: "…";`. */
export function parseAptConfig(text: string): AptConfig {
  const settings: { name: string; value: string }[] = [];
  for (const line of text.split('\n')) {
    const [, name, value] = /^(\S+) "(.*)";$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) settings.push({ name: name.toLowerCase(), value });
  }
  return {
    value: (name) => settings.filter((each) => each.name === name.toLowerCase()).at(-1)?.value,
    list: (name) => {
      const prefix = `${name.toLowerCase()}::`;
      return settings.filter((each) => each.name.startsWith(prefix) && each.value !== '').map(({ value }) => value);
    },
  };
}

/** As apt reads it (StringToBool); undefined where it is neither. */
export function parseAptBoolean(text: string | undefined): boolean | undefined {
  if (/^(?:1|yes|true|with|on|enable)$/i.test(text ?? '')) return true;
  return /^(?:0|no|false|without|off|disable)$/i.test(text ?? '') ? false : undefined;
}
