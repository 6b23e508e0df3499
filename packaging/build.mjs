// Bundles the three programs, each into one executable file that needs only the packages named external here.
// CommonJS, because a file without an extension outside any package is CommonJS to every Node that we support.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Native modules stay outside every bundle; the optional helpers of the MongoDB driver are never shipped. */
const NATIVE = ['libsql'];
const OPTIONAL = [
  '@aws-sdk/credential-providers',
  '@mongodb-js/zstd',
  'aws4',
  'gcp-metadata',
  'kerberos',
  'mongodb-client-encryption',
  'snappy',
  'socks',
];

const PROGRAMS = [
  { name: 'penguindome', target: 'node20.19', external: [...NATIVE, ...OPTIONAL] },
  { name: 'penguindome-server', target: 'node20.19', external: [...NATIVE, ...OPTIONAL] },
  { name: 'penguindome-agent', target: 'node18.19', external: [] },
];

/** Beside the programs, inputs.json says which source files and packages went into each. */
export async function buildPrograms(outdir = `${root}build`) {
  const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
  await mkdir(outdir, { recursive: true });
  await writeFile(`${outdir}/package.json`, '{"type":"commonjs"}\n');
  const built = await Promise.all(
    PROGRAMS.map(async ({ name, target, external }) => {
      const outfile = `${outdir}/${name}`;
      const { metafile } = await build({
        absWorkingDir: root,
        entryPoints: [`src/bin/${name}.ts`],
        outfile,
        bundle: true,
        platform: 'node',
        format: 'cjs',
        target,
        external,
        minifySyntax: true,
        metafile: true,
        legalComments: 'none',
        logLevel: 'warning',
        // CommonJS has no import.meta.url, and openpgp makes its `require` from it.
        define: { __VERSION__: JSON.stringify(version), 'import.meta.url': '__file_url' },
        banner: { js: "#!/usr/bin/env node\nconst __file_url = require('node:url').pathToFileURL(__filename).href;" },
      });
      await chmod(outfile, 0o755);
      return [name, metafile];
    }),
  );
  const inputs = built.map(([name, metafile]) => [name, Object.keys(metafile.inputs)]);
  await writeFile(`${outdir}/inputs.json`, `${JSON.stringify(Object.fromEntries(inputs), null, 1)}\n`);
  return new Map(built);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = performance.now();
  const built = await buildPrograms();
  for (const [name, { outputs }] of built) {
    const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0);
    console.log(`build/${name}  ${(bytes / 1024).toFixed(0)} KiB`);
  }
  console.log(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
