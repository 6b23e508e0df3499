import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Everything below a folder: path → mode, and a digest of what is in it. @param counts not looked at where it is false: such files may go meanwhile */
export async function treeOf(
  folder: string,
  counts: (path: string) => boolean = () => true,
): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const path of (await readdir(folder, { recursive: true })).filter(counts).sort()) {
    const file = join(folder, path);
    const stats = await lstat(file);
    const content = stats.isFile() ? await digestOf(file) : stats.isSymbolicLink() ? await readlink(file) : '';
    tree[path] = `${(stats.mode & 0o7777).toString(8)} ${content}`;
  }
  return tree;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  return hash.update(await readFile(file)).digest('hex');
}
