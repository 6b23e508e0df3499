import type { HostAccess } from '../../collector.ts';
import { factsOf, namesIn } from '../lenient.ts';

/**
 * Releases of the kernels that can be started: in /boot (Debian, Ubuntu), or beside their modules (Fedora, Arch). A folder of modules
 * alone is left behind by kernels that were removed, and Fedora's rescue image (`vmlinuz-0-rescue-…`) is no kernel of its own.
 */
export async function findKernels(host: HostAccess): Promise<string[]> {
  const images = (await namesIn(host, '/boot')) ?? [];
  const found = images.flatMap((name) => /^vmlinu[xz]-(\d+\.\d\S*)$/.exec(name)?.[1] ?? []);
  const folders = (await namesIn(host, '/usr/lib/modules')) ?? [];
  const complete = await Promise.all(
    folders.map(async (release) =>
      (await factsOf(host, `/usr/lib/modules/${release}/vmlinuz`)) === undefined ? [] : [release],
    ),
  );
  const releases = new Set(
    [...found, ...complete.flat()].filter((release) => !/\.(?:old|bak|dpkg-\w+)$/.test(release)),
  );
  return [...releases].sort();
}
