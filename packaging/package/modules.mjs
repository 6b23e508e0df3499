// Which npm packages are in what we ship, and what they are: for the payload, the bill of materials and the copyright file.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NATIVE } from '../build.mjs';
import { root } from '../install.mjs';

const lock = async () => JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')).packages;

/** What native modules need at run time; the rest of their dependencies compiles them. */
const ONLY_TO_BUILD = new Set(['cross-env', 'node-addon-api']);

/** Folders (`node_modules/x`) that a bundle was made of. @param inputs build/inputs.json */
export function bundledFolders(inputs) {
  const folders = inputs.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file) ?? []);
  return [...new Set(folders)].sort();
}

/** The native modules and what they load, for this machine's kind. */
export async function nativeFolders() {
  const packages = await lock();
  const found = new Set();
  const left = NATIVE.map((name) => `node_modules/${name}`);
  for (let folder = left.pop(); folder !== undefined; folder = left.pop()) {
    if (found.has(folder) || !existsSync(join(root, folder)) || folder.endsWith('-musl')) continue;
    found.add(folder);
    const { dependencies, optionalDependencies } = packages[folder];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (ONLY_TO_BUILD.has(name)) continue;
      const nested = `${folder}/node_modules/${name}`;
      left.push(packages[nested] === undefined ? `node_modules/${name}` : nested);
    }
  }
  return [...found].sort();
}

/** What the lockfile and the package itself say of each. */
export async function describeModules(folders) {
  const packages = await lock();
  return Promise.all(
    folders.map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
      const { integrity } = packages[folder] ?? {};
      const text = await licenseText(folder);
      return { folder, name, version, license: license ?? guess(text), integrity, text };
    }),
  );
}

async function licenseText(folder) {
  const names = (await readdir(join(root, folder))).sort();
  const file = names.find((name) => /^(licen[cs]e|copying)/i.test(name));
  return file === undefined ? undefined : readFile(join(root, folder, file), 'utf8');
}

function guess(text = '') {
  if (/Permission is hereby granted, free of charge/.test(text)) return 'MIT';
  if (/Permission to use, copy, modify/.test(text)) return 'ISC';
  throw new Error(`cannot tell a license: ${text.slice(0, 80)}`);
}
