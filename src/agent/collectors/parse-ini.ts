/**
 * Sections and their keys, of files in the manner of dnf and systemd. A line that begins with a blank goes on with the value before it;
 * what stands twice counts as it stands last.
 */
export function parseIni(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let key: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:[#;]|$)/.test(line)) continue;
    const name = /^\[([^\]]+)\]/.exec(line)?.[1];
    const [, found, value] = /^([^\s=[][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined) {
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
      key = undefined;
    } else if (found !== undefined && value !== undefined) {
      key = found;
      section?.set(key, value);
    } else if (key !== undefined && /^\s/.test(line)) {
      section?.set(key, `${section.get(key) ?? ''} ${line.trim()}`.trim());
    }
  }
  return sections;
}

/** As dnf reads it; undefined where it is neither. */
export function parseBoolean(text: string | undefined): boolean | undefined {
  if (/^(?:1|yes|true|on|enabled)$/i.test(text ?? '')) return true;
  return /^(?:0|no|false|off|disabled)$/i.test(text ?? '') ? false : undefined;
}
