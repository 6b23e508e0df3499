import type { HostAccess } from '../collector.ts';
import { textOf } from './lenient.ts';

/** os-release(5): the first of the two files that is there counts, the other is not merged in. */
export async function readOsRelease(host: HostAccess): Promise<Map<string, string> | undefined> {
  const text = (await textOf(host, '/etc/os-release')) ?? (await textOf(host, '/usr/lib/os-release'));
  return text === undefined ? undefined : parseOsRelease(text);
}

/** Shell assignments without expansion: single or double quotes, and a backslash before `$`, `"`, `\` and a backquote. */
export function parseOsRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z0-9_]+)=(.*?)\s*$/.exec(line);
    const [, name, value] = match ?? [];
    if (name !== undefined && value !== undefined) fields.set(name, unquote(value));
  }
  return fields;
}

function unquote(text: string): string {
  if (/^'.*'$/.test(text)) return text.slice(1, -1);
  const inner = /^".*"$/.test(text) ? text.slice(1, -1) : text;
  return inner.replace(/\\([$"\\`])/g, '$1');
}
