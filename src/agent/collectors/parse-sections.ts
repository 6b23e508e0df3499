/** Section → key → value; what comes before the first section is in the section `''`. */
export type Sections = Map<string, Map<string, string>>;

/** What display managers and systemd call a configuration file. Of a key given twice the last counts. */
export function parseSections(text: string, into: Sections = new Map()): Sections {
  let section = '';
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const header = /^\[([^\]]*)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      section = header;
      if (!into.has(section)) into.set(section, new Map());
      continue;
    }
    const at = line.indexOf('=');
    if (at < 1) continue;
    const values = into.get(section) ?? new Map<string, string>();
    values.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
    into.set(section, values);
  }
  return into;
}
