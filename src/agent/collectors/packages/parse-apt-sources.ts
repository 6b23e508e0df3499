import { parseAptBoolean } from '../parse-apt-config.ts';

/** One source of packages as sources.list(5) describes it; what is for building (deb-src) counts too: apt trusts it in the same way. */
export interface AptSource {
  uri: string;
  suite: string;
  /** lower-case names of deb822 fields: `trusted`, `allow-insecure`, `signed-by` */
  options: Map<string, string>;
}

/** `deb [trusted=yes signed-by=/k] http://host/debian stable main`; a cdrom's name may hold blanks. */
export function parseOneLineSources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const entry = line.replace(/(^|\s)#.*$/, '').trim();
    const [, bracket = '', uri, suite] =
      /^deb(?:-src)?\s+(?:\[([^\]]*)\]\s*)?(cdrom:\[[^\]]*\]\S*|\S+)\s+(\S+)/.exec(entry) ?? [];
    if (uri === undefined || suite === undefined) continue;
    sources.push({ uri, suite, options: parseOptions(bracket) });
  }
  return sources;
}

/** `+=` and `-=` change a list: as something stands there, it counts as set. */
function parseOptions(text: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const option of text.split(/\s+/)) {
    const [, name, value] = /^([^=+-]+(?:-[^=+-]+)*)[+-]?=(.*)$/.exec(option) ?? [];
    if (name !== undefined && value !== undefined) options.set(name.toLowerCase(), value);
  }
  return options;
}

/** Stanzas of fields, each switched off by `Enabled: no`; several URIs and suites in one. */
export function parseDeb822Sources(text: string): AptSource[] {
  return text.split(/\n(?:[ \t]*\n)+/).flatMap((stanza) => {
    const options = parseStanza(stanza);
    if (parseAptBoolean(options.get('enabled')) === false || !options.has('types')) return [];
    const words = (name: string) => (options.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
    return words('uris').flatMap((uri) => words('suites').map((suite) => ({ uri, suite, options })));
  });
}

function parseStanza(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let name: string | undefined;
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const [, found, value] = /^([^\s:]+):[ \t]*(.*?)\s*$/.exec(line) ?? [];
    if (found !== undefined && value !== undefined) {
      name = found.toLowerCase();
      fields.set(name, value);
    } else if (name !== undefined && /^\s/.test(line)) {
      fields.set(name, `${fields.get(name) ?? ''} ${line.trim()}`.trim());
    }
  }
  return fields;
}
