/** Reads what may be missing or forbidden, for collectors to which both say the same: not to be seen from here. */
import type { FileFacts, HostAccess } from '../collector.ts';

export function textOf(host: HostAccess, path: string, max?: number): Promise<string | undefined> {
  return seen(() => host.readText(path, max === undefined ? {} : { max }));
}

export function namesIn(host: HostAccess, path: string, max?: number): Promise<string[] | undefined> {
  return seen(() => host.list(path, max === undefined ? {} : { max }));
}

export function factsOf(host: HostAccess, path: string): Promise<FileFacts | undefined> {
  return seen(() => host.stat(path));
}

export function linkAt(host: HostAccess, path: string): Promise<string | undefined> {
  return seen(() => host.readLink(path));
}

async function seen<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await look();
  } catch {
    return undefined;
  }
}
