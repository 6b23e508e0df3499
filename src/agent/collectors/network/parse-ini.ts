/**
 * Sections and keys of a key file, as GLib and systemd write them. Values as they stand: no escapes, no continued lines.
 * A section that comes twice goes on.
 */
export function parseIni(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let open = new Map<string, string>();
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    const section = /^\[(.*)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      open = sections.get(section) ?? new Map();
      sections.set(section, open);
      continue;
    }
    const [, key, value] = /^([^#;=\s][^=]*?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) open.set(key, value);
  }
  return sections;
}
