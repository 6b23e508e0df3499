import type { HostAccess } from '../../collector.ts';
import { logicalLines } from './parse-sudoers.ts';

const DEEPEST = 16;
const MOST_FILES = 1000;

/** All lines in force, included files in their place (sudoers(5), "Including other files"). @throws where one may not be read */
export async function readSudoers(host: HostAccess, path: string): Promise<string[]> {
  const name = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? '';
  let left = MOST_FILES;
  const read = async (file: string, depth: number): Promise<string[]> => {
    if (depth > DEEPEST || left-- <= 0) throw new Error(`cannot follow what ${path} includes`);
    const lines: string[] = [];
    for (const line of logicalLines((await host.readText(file)) ?? '')) {
      const [, folder, quoted, plain] = /^[@#]include(dir)?\s+(?:"([^"]+)"|(\S.*))$/.exec(line) ?? [];
      const target = (quoted ?? plain?.replaceAll(/\\(.)/g, '$1'))?.replaceAll('%h', name.split('.')[0] ?? '');
      if (target === undefined) lines.push(line);
      else {
        const at = target.startsWith('/') ? target : `${file.replace(/\/[^/]*$/, '')}/${target}`;
        for (const each of folder === undefined ? [at] : await filesIn(host, at)) {
          lines.push(...(await read(each, depth + 1)));
        }
      }
    }
    return lines;
  };
  return read(path, 0);
}

/** Sorted; names that end in `~` or hold a dot are left out, as sudo leaves them: `90-cloud.conf` does nothing. */
async function filesIn(host: HostAccess, folder: string): Promise<string[]> {
  const names = ((await host.list(folder)) ?? []).filter((name) => !name.endsWith('~') && !name.includes('.'));
  const paths = names.map((name) => `${folder}/${name}`);
  const facts = await Promise.all(paths.map((path) => host.stat(path)));
  return paths.filter((_, index) => facts[index]?.kind === 'file');
}
