import type { HostAccess } from '../collector.ts';

/** By rank: a file hides those of the same name further down (systemd.syntax(7), journald.conf(5)). */
const FOLDERS = ['/etc/systemd', '/run/systemd', '/usr/local/lib/systemd', '/usr/lib/systemd'];

/** One setting of one of systemd's programs, such as `Storage` in `journald.conf`. @returns undefined where nobody sets it, or it is reset */
export async function systemdSetting(host: HostAccess, file: string, key: string): Promise<string | undefined> {
  let value: string | undefined;
  for (const path of await filesOf(host, file)) {
    for (const line of ((await host.readText(path)) ?? '').split('\n')) {
      const [, name, said] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (name === key) value = said === '' ? undefined : said;
    }
  }
  return value;
}

/** The main file of the highest rank first, then the drop-ins of all folders in the order of their names. */
async function filesOf(host: HostAccess, file: string): Promise<string[]> {
  const mains = await Promise.all(
    FOLDERS.map(async (folder) => ((await host.stat(`${folder}/${file}`)) ? `${folder}/${file}` : undefined)),
  );
  const dropIns = new Map<string, string>();
  for (const folder of [...FOLDERS].reverse()) {
    for (const name of (await host.list(`${folder}/${file}.d`)) ?? []) {
      if (name.endsWith('.conf')) dropIns.set(name, `${folder}/${file}.d/${name}`);
    }
  }
  const main = mains.find((path) => path !== undefined);
  return [
    ...(main === undefined ? [] : [main]),
    ...[...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path),
  ];
}
