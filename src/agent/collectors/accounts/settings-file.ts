import type { HostAccess } from '../../collector.ts';

/**
 * Settings of a PAM module: `FILE.d/*.conf` in the order of their names, over them FILE, over it the module's arguments
 * (pwquality.conf(5): the folder is read *first*). A word without a value stands for itself.
 */
export async function readSettings(
  host: HostAccess,
  file: string | undefined,
  args: readonly string[],
): Promise<Map<string, string>> {
  const settings = new Map<string, string>();
  if (file !== undefined) {
    const folder = `${file}.d`;
    const names = ((await host.list(folder)) ?? []).filter((name) => name.endsWith('.conf'));
    for (const path of [...names.map((name) => `${folder}/${name}`), file]) {
      addLines(settings, ((await host.readText(path)) ?? '').split('\n'));
    }
  }
  addLines(settings, args);
  return settings;
}

function addLines(settings: Map<string, string>, lines: readonly string[]): void {
  for (const line of lines) {
    const [, name, value] = /^\s*([\w-]+)\s*(?:=\s*(.*?))?\s*(?:#.*)?$/.exec(line) ?? [];
    if (name !== undefined) settings.set(name, value ?? '');
  }
}
