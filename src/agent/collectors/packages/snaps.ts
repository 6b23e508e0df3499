import type { HostAccess } from '../../collector.ts';
import { factsOf, namesIn, textOf } from '../lenient.ts';
import { type Installed, versionsOf } from './installed.ts';

/** Where snaps are mounted; Fedora has no /snap of its own. */
const FOLDERS = ['/snap', '/var/lib/snapd/snap'];

/** The revision that is in use of each, from the files: snapd need not be asked. @returns undefined without snapd */
export async function snaps(host: HostAccess): Promise<unknown> {
  if ((await host.find('snap')) === undefined) return undefined;
  for (const folder of FOLDERS) {
    const names = await namesIn(host, folder);
    if (names === undefined) continue;
    const read = await Promise.all(names.map((name) => readSnap(host, folder, name)));
    return versionsOf(read.flat());
  }
  return {};
}

async function readSnap(host: HostAccess, folder: string, name: string): Promise<Installed[]> {
  if ((await factsOf(host, `${folder}/${name}/current`)) === undefined) return [];
  const version = parseSnapVersion((await textOf(host, `${folder}/${name}/current/meta/snap.yaml`)) ?? '');
  return version === undefined ? [] : [{ name, version, architecture: '' }];
}

/** The top level's `version:`, with or without quotes. */
export function parseSnapVersion(yaml: string): string | undefined {
  return /^version:\s*["']?([^"'\s#]+)["']?\s*(?:#.*)?$/m.exec(yaml)?.[1];
}
