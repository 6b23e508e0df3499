import type { HostAccess } from '../../collector.ts';

/** login.defs(5): a name, white space, a value; the last of a name counts. An empty map where there is no such file. */
export async function readLoginDefs(host: HostAccess): Promise<Map<string, string>> {
  const text = (await host.readText('/etc/login.defs')) ?? (await host.readText('/usr/etc/login.defs')) ?? '';
  const defs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*([A-Z][A-Z0-9_]*)\s+"?([^\s"#]+)/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) defs.set(name, value);
  }
  return defs;
}
