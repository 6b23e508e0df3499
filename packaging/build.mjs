// Bundles the three programs, each into one executable file that needs only the packages named external here. The agent's is a
// small loader, with the bundle and the code that V8 compiled of it beside it: it starts every minute.
// CommonJS, because a file without an extension outside any package is CommonJS to every Node that we support.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Native modules stay outside every bundle; the optional helpers of the MongoDB driver are never shipped. */
export const NATIVE = ['argon2', 'libsql', 'sodium-native'];
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
];
const AGENT = { target: 'node18.19', external: [] };

/** As large as all the rest of the agent, and needed only where there are orders: a file of its own, as its makers ship it. */
const OPENPGP = 'node_modules/openpgp/dist/node/openpgp.min.cjs';
const APART = { path: './penguindome-agent.openpgp.js', external: true };

/**
 * Beside the programs, inputs.json says which source files and packages went into each.
 * @param codeCache whether to make the agent's, for the Node that builds
 */
export async function buildPrograms(outdir = `${root}build`, { codeCache = true } = {}) {
  const version = `"${JSON.parse(await readFile(`${root}package.json`, 'utf8')).version}"`;
  await mkdir(outdir, { recursive: true });
  await writeFile(`${outdir}/package.json`, '{"type":"commonjs"}\n');
  const built = await Promise.all([
    ...PROGRAMS.map((program) => buildProgram(outdir, version, program)),
    buildAgent(outdir, version, codeCache),
  ]);
  const inputs = built.map(([name, { inputs }]) => [name, Object.keys(inputs)]);
  await writeFile(`${outdir}/inputs.json`, `${JSON.stringify(Object.fromEntries(inputs), null, 1)}\n`);
  return built;
}

async function buildProgram(outdir, version, { name, target, external }) {
  const { metafile, text } = await bundle(`src/bin/${name}.ts`, {
    target,
    external,
    // CommonJS has no import.meta.url, and openpgp makes its `require` from it.
    define: { __VERSION__: version, 'import.meta.url': '__file_url' },
    banner: {
      js: `${SHEBANG}${requireNode(name, target)}const __file_url = require('node:url').pathToFileURL(__filename).href;`,
    },
  });
  await writeProgram(`${outdir}/${name}`, text);
  return [name, { bytes: text.length, inputs: metafile.inputs }];
}

/** The bundle is one function, as Node's own loader would make it, behind a comment with its SHA-256, by which it knows its cache. */
async function buildAgent(outdir, version, codeCache) {
  const check = requireNode('penguindome-agent', AGENT.target);
  const loader = await bundle('src/bin/penguindome-agent.ts', {
    ...AGENT,
    banner: { js: `${SHEBANG}"use strict";\n${check}` },
  });
  const main = await bundle('src/bin/agent-main.ts', {
    ...AGENT,
    define: { __VERSION__: version },
    // The script that the loader makes has no import() of its own.
    supported: { 'dynamic-import': false },
    plugins: [{ name: 'apart', setup: ({ onResolve }) => onResolve({ filter: /^openpgp$/ }, () => APART) }],
    banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
    footer: { js: '})' },
  });
  // esbuild escapes what is not ASCII everywhere but in comments; the loader reads the file as Latin-1, which takes no decoding.
  const text = main.text.replace(/[^\x00-\x7f]/g, '?');
  const stamp = createHash('sha256').update(text).digest('hex');
  await copyFile(`${root}${OPENPGP}`, `${outdir}/penguindome-agent.openpgp.js`);
  await rm(`${outdir}/penguindome-agent.code-cache`, { force: true });
  await writeFile(`${outdir}/penguindome-agent.bundle.js`, `/*${stamp}*/${text}`);
  await writeProgram(`${outdir}/penguindome-agent`, loader.text);
  for (const script of ['penguindome-tick', 'penguindome-plugin-tool']) {
    await copyFile(`${root}packaging/${script}`, `${outdir}/${script}`);
    await chmod(`${outdir}/${script}`, 0o755);
  }
  if (codeCache) makeCodeCache(`${outdir}/penguindome-agent`);
  const inputs = { ...loader.metafile.inputs, ...main.metafile.inputs, [OPENPGP]: {} };
  return ['penguindome-agent', { bytes: text.length, inputs }];
}

/** For the Node that builds; another one goes without it, or a package's install step makes it anew. */
function makeCodeCache(program) {
  const { status, stderr } = spawnSync(process.execPath, [program, '--make-code-cache'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot make the agent's code cache: ${stderr}`);
}

const SHEBANG = '#!/usr/bin/env node\n';

/** Before anything else: what an older Node says of the program's own code helps nobody. 69: as the launcher of packages says that there is none. */
function requireNode(name, target) {
  const least = target.replace('node', '');
  const [major, minor] = least.split('.');
  const found = 'process.versions.node.split(".")';
  const old = `${found}[0] < ${major} || (${found}[0] == ${major} && ${found}[1] < ${minor})`;
  const help = `install the package penguindome-runtime, or a newer nodejs`;
  const sentence = `${name}: cannot run: this Node (" + process.execPath + ") is " + process.versions.node + ", and it takes ${least} or newer; ${help}`;
  return `if (${old}) { console.error("${sentence}"); process.exit(69); }\n`;
}

async function bundle(entry, options) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    write: false,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minifySyntax: true,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
  });
  return { metafile, text: outputFiles[0].text };
}

async function writeProgram(path, text) {
  await writeFile(path, text);
  await chmod(path, 0o755);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = performance.now();
  const built = await buildPrograms();
  for (const [name, { bytes }] of built) {
    console.log(`build/${name}  ${(bytes / 1024).toFixed(0)} KiB`);
  }
  console.log(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
