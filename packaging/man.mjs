// npm run man: writes the manual pages (build/man) and the shells' completions (build/completions) from what the programs say of themselves.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { installPackages, root } from './install.mjs';

await installPackages();
const { build } = await import('esbuild');

const bundled = `${root}build/write-manual.mjs`;
await build({
  absWorkingDir: root,
  entryPoints: ['packaging/man/write.ts'],
  outfile: bundled,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  logLevel: 'warning',
});
const { manualFiles } = await import(bundled);
await rm(bundled);

const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
// The same sources make the same bytes where SOURCE_DATE_EPOCH is given (https://reproducible-builds.org/specs/source-date-epoch/).
const { SOURCE_DATE_EPOCH } = process.env;
const made = SOURCE_DATE_EPOCH === undefined ? new Date() : new Date(Number(SOURCE_DATE_EPOCH) * 1000);
const edition = { version, day: made.toISOString().slice(0, 10) };
const files = manualFiles(await readFile(`${root}docs/exit-codes.md`, 'utf8'), edition);
for (const folder of ['man', 'completions']) await rm(`${root}build/${folder}`, { recursive: true, force: true });
for (const [path, content] of files) {
  await mkdir(dirname(`${root}build/${path}`), { recursive: true });
  await writeFile(`${root}build/${path}`, content);
}
console.log(`${files.size} files in build/man and build/completions`);
