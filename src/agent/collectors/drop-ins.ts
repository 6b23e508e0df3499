import type { HostAccess } from '../collector.ts';
import { namesIn, textOf } from './lenient.ts';

/**
 * Texts of the files with one ending in several folders of one purpose, in the order in which they are read: by name, whatever the
 * folder; of files with one name that of the first folder stands for all (systemd's, SDDM's and dnf's manner), and an empty one for nothing.
 * @param folders the most important first
 */
export async function dropIns(host: HostAccess, folders: readonly string[], ending = '.conf'): Promise<string[]> {
  const places = new Map<string, string>();
  for (const folder of folders) {
    for (const name of (await namesIn(host, folder)) ?? []) {
      if (name.endsWith(ending) && !places.has(name)) places.set(name, `${folder}/${name}`);
    }
  }
  const paths = [...places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  // A link to /dev/null, which masks, is no regular file, and so says nothing.
  const texts = await Promise.all(paths.map((path) => textOf(host, path)));
  return texts.filter((text) => text !== undefined);
}
