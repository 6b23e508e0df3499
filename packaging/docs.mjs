// npm run docs: writes what documentation is made from code. A test says when somebody has forgotten to.
import { readFile, writeFile } from 'node:fs/promises';
import { installPackages, root } from './install.mjs';

await installPackages();
const { build } = await import('esbuild');

const file = `${root}docs/collectors.md`;
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['packaging/docs/write-collectors.ts'],
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
});
const { collectorsPage } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);
await writeFile(file, collectorsPage(await readFile(file, 'utf8')));
