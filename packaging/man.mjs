// npm run man: writes the manual pages (build/man) and the shells' completions (build/completions) from what the programs say of themselves.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages, root } from './install.mjs';

/**
 * @param made when: the same sources make the same bytes (https://reproducible-builds.org/specs/source-date-epoch/)
 * @returns how many files there are in its folders man and completions
 */
export async function writeManual(outdir, made) {
  const { build } = await import('esbuild');
  const bundled = `${root}build/write-manual-${process.pid}.mjs`;
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
  const edition = { version, day: made.toISOString().slice(0, 10) };
  const files = manualFiles(await readFile(`${root}docs/exit-codes.md`, 'utf8'), edition);
  for (const folder of ['man', 'completions']) await rm(join(outdir, folder), { recursive: true, force: true });
  for (const [path, content] of files) {
    await mkdir(dirname(join(outdir, path)), { recursive: true });
    await writeFile(join(outdir, path), content);
  }
  return files.size;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await installPackages();
  const { SOURCE_DATE_EPOCH } = process.env;
  const made = SOURCE_DATE_EPOCH === undefined ? new Date() : new Date(Number(SOURCE_DATE_EPOCH) * 1000);
  console.log(`${await writeManual(`${root}build`, made)} files in build/man and build/completions`);
}
