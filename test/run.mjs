// npm test, npm run test:e2e, npm run soak: sets up what the tests need, runs them, and closes with a line that counts what ran.
//   node test/run.mjs [--e2e | --soak] [FILE-OR-FOLDER ...]      only the tests below these paths, such as test/store
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackages, root } from '../packaging/install.mjs';

await installPackages();
const { buildPrograms } = await import('../packaging/build.mjs');
const { startMongods } = await import('./support/mongods.mjs');
const { findNode18 } = await import('./support/node18.mjs');
const { build } = await import('esbuild');

const KINDS = ['--e2e', '--soak'];
const args = process.argv.slice(2);
const kind = args.find((arg) => KINDS.includes(arg));
const wanted = args.filter((arg) => !KINDS.includes(arg)).map((path) => path.replace(/^\.\//, ''));

/** The test files of this kind, as paths from the root: of the soak those whose tests repeat more often in it. */
async function testFiles() {
  const paths = (await readdir(join(root, 'test'), { recursive: true }))
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => `test/${path}`)
    .filter((path) => kind === '--soak' || path.startsWith('test/e2e/') === (kind === '--e2e'))
    .filter((path) => wanted.length === 0 || wanted.some((prefix) => path.startsWith(prefix)))
    .sort();
  if (kind !== '--soak') return paths;
  const texts = await Promise.all(paths.map((path) => readFile(join(root, path), 'utf8')));
  return paths.filter((_, index) => /support\/(fuzz|soak|tally)\.ts/.test(texts[index]));
}

/** One build with shared chunks: a module is the same one to every test of a file, and nothing is compiled twice. */
async function buildTests(files, outdir) {
  await rm(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: files,
    outbase: root,
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: 'inline',
    define: { __VERSION__: '"0.0.0-test"' },
    logLevel: 'warning',
  });
}

/** Runs ava, shows what it says, and reads its closing counts. */
async function runTests(files, env) {
  const ava = spawn(
    process.execPath,
    [join(root, 'node_modules/ava/entrypoints/cli.mjs'), ...(kind === '--soak' ? ['--timeout=60m'] : []), ...files],
    {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  ava.stdout.on('data', (chunk) => {
    said += chunk;
    process.stdout.write(chunk);
  });
  const status = await new Promise((resolve) => ava.on('close', resolve));
  const plain = said.replace(/\u001b\[[0-9;]*m/g, '');
  const count = (pattern) => [...plain.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
  return {
    status,
    // ava's closing lines leave the passed ones out where any failed
    passed: plain.match(/^\s*[✔√] /gm)?.length ?? 0,
    failed:
      count(/^\s+(\d+) (?:tests?|hooks?) failed$/gm) +
      count(/^\s+(\d+) (?:uncaught exceptions?|unhandled rejections?)$/gm),
    skipped: count(/^\s+(\d+) tests? (?:skipped|todo)$/gm),
  };
}

/** What the fault tests told of themselves (test/faults/support/tally.ts), as a table to paste. */
async function printFaults(file) {
  const rows = (await readFile(file, 'utf8').catch(() => ''))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  if (rows.length === 0) return;
  console.log('\n| fault | store | faults | hits | reports acknowledged, each stored once |\n|---|---|---:|---:|---:|');
  for (const { fault, store, kills, hits, acknowledged } of rows.sort((a, b) => (a.fault < b.fault ? -1 : 1))) {
    console.log(`| ${fault} | ${store} | ${kills} | ${hits} | ${acknowledged} |`);
  }
  console.log('');
}

/** What a test mounted that was broken off: without this, its folder could not go. */
async function unmountBelow(folder) {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  for (const line of mounts.split('\n')) {
    const [, path = ''] = line.split(' ');
    if (path.startsWith(`${folder}/`)) spawnSync('umount', ['-l', path]);
  }
}

const files = await testFiles();
if (files.length === 0) {
  console.error(`no tests below ${wanted.join(', ')}`);
  process.exitCode = 1;
} else {
  const outdir = join(root, `build/tests-${process.pid}`);
  const scratch = await mkdtemp(join(tmpdir(), 'penguindome-test-'));
  const skips = join(scratch, 'skipped');
  const faults = join(scratch, 'faults');
  // A fresh clone's tests run with the tools that the machine has; the certificates of somebody's proxy only slow Node down.
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  let mongods = { env: {}, stop: async () => {} };
  try {
    await buildPrograms();
    await buildTests(files, outdir);
    mongods = await startMongods(scratch);
    const node18 = findNode18();
    const env = {
      ...inherited,
      ...mongods.env,
      ...(node18 && { PENGUINDOME_TEST_NODE18: node18 }),
      PENGUINDOME_TEST_SCRATCH: scratch,
      PENGUINDOME_TEST_SKIPS: skips,
      PENGUINDOME_TEST_FAULTS: faults,
      ...(kind === '--soak' && { PENGUINDOME_SOAK: '1' }),
    };
    const built = files.map((path) => join(outdir, path.replace(/\.ts$/, '.mjs')));
    const result = await runTests(built, env);
    await printFaults(faults);
    const reasons = new Set((await readFile(skips, 'utf8').catch(() => '')).split('\n').filter(Boolean));
    for (const reason of reasons) console.log(`SKIPPED: ${reason}`);
    if (result.passed + result.failed === 0) result.failed = 1;
    if (result.status !== 0 || result.failed > 0) process.exitCode = 1;
    if (process.env.CI === 'true' && result.skipped > 0) {
      console.error('with CI=true nothing may be skipped');
      process.exitCode = 1;
    }
    console.log(
      `${result.passed} passed, ${result.failed} failed${result.skipped > 0 ? `, ${result.skipped} skipped` : ''}`,
    );
  } finally {
    await mongods.stop();
    await rm(outdir, { recursive: true, force: true });
    await unmountBelow(scratch);
    await rm(scratch, { recursive: true, force: true });
  }
}
