// Puts what the list names of one package into a folder that stands for the root of a file system. debian/rules and arch/PKGBUILD call it:
//   node place.mjs PAYLOAD PACKAGE ROOT debian|arch [UNITS-FOLDER]
import { chmod, copyFile, mkdir, readdir, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAMILIES, PACKAGES } from './list.mjs';

/** @param folders UNITS and ZSH of this family */
export async function place(payload, name, root, folders) {
  const { rows, links } = PACKAGES[name];
  for (const [what, where, mode = 0o644] of rows) {
    const found = await matching(payload, what);
    if (found.length === 0) throw new Error(`cannot place ${what} of ${name}: ${payload} does not hold it`);
    const to = join(root, resolveFolder(where, name, folders));
    for (const file of found) {
      const below = what.endsWith('/**') ? file.slice(what.length - 2) : basename(file);
      await copyTo(join(payload, file), where.endsWith('/') ? join(to, below) : to, mode);
    }
  }
  for (const [link, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, link)), { recursive: true });
    await symlink(target, join(root, link));
  }
}

function resolveFolder(where, name, { UNITS, ZSH }) {
  return where
    .replace(/^UNITS\b/, UNITS)
    .replace(/^ZSH\b/, ZSH)
    .replace(/^DOC\b/, `usr/share/doc/${name}`);
}

/** Paths of files in the payload, sorted: the same order makes the same package. */
async function matching(payload, pattern) {
  if (pattern.endsWith('/**')) {
    const folder = pattern.slice(0, -3);
    const all = await readdir(join(payload, folder), { recursive: true, withFileTypes: true });
    return all
      .filter((each) => each.isFile())
      .map((each) => join(each.parentPath ?? each.path, each.name).slice(join(payload).length + 1))
      .sort();
  }
  const [folder, name] = [dirname(pattern), basename(pattern)];
  const fits = new RegExp(`^${name.replace(/[.+]/g, '\\$&').replaceAll('*', '.*')}$`);
  const names = await readdir(join(payload, folder)).catch(() => []);
  return names
    .filter((each) => fits.test(each))
    .sort()
    .map((each) => join(folder, each));
}

async function copyTo(from, to, mode) {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, mode);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [payload, name, root, family, units] = process.argv.slice(2);
  await place(payload, name, root, { ...FAMILIES[family], ...(units === undefined ? {} : { UNITS: units }) });
}
