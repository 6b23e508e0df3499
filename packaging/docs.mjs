// npm run docs: writes what documentation is made from code. A test says when somebody has forgotten to.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { installPackages, root } from './install.mjs';

await installPackages();
const { build } = await import('esbuild');

/** A module in TypeScript; as a file below the packages that it imports. */
async function load(entryPoint) {
  const outfile = `${root}build/docs-${process.pid}.mjs`;
  await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    bundle: true,
    format: 'esm',
    outfile,
    packages: 'external',
    platform: 'node',
  });
  try {
    return await import(`${outfile}?${entryPoint}`);
  } finally {
    await rm(outfile);
  }
}

const file = `${root}docs/collectors.md`;
const { collectorsPage } = await load('packaging/docs/write-collectors.ts');
await writeFile(file, collectorsPage(await readFile(file, 'utf8')));

const { roleFolders, roleReadme } = await load('packaging/docs/write-roles.ts');
for (const role of await roleFolders(root)) await writeFile(`${role}/README.md`, await roleReadme(role));
