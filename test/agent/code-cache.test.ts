import { execFile } from 'node:child_process';
import { chmod, chown, copyFile, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';

const run = promisify(execFile);
const CACHE = 'penguindome-agent.code-cache';
const BUNDLE = 'penguindome-agent.bundle.js';

interface Installed {
  folder: string;
  program: string;
  cache: string;
  /** what V8 made of the cache, as the loader saw it */
  usesCache(): Promise<boolean>;
}

/** A copy of the program in a folder of the test's, with a probe that tells whether V8 took the cache. */
async function installed(t: ExecutionContext): Promise<Installed> {
  const folder = await scratchFolder(t);
  for (const file of ['penguindome-agent', BUNDLE, 'package.json']) {
    await copyFile(join('build', file), join(folder, file));
  }
  const program = join(folder, 'penguindome-agent');
  const probe = join(folder, 'probe.cjs');
  await writeFile(
    probe,
    `const vm = require('node:vm');
const { Script } = vm;
vm.Script = class extends Script {
  constructor(source, options) {
    super(source, options);
    process.stderr.write('cache ' + (options.cachedData !== undefined && this.cachedDataRejected === false) + '\\n');
  }
};`,
  );
  await run(process.execPath, [program, '--make-code-cache']);
  return {
    folder,
    program,
    cache: join(folder, CACHE),
    usesCache: async () => {
      const { stdout, stderr } = await run(process.execPath, ['--require', probe, program, '--version']);
      t.regex(stdout, /^\d+\.\d+\.\d+\n$/);
      return stderr.includes('cache true');
    },
  };
}

test('the code cache that the install step makes is used', async (t) => {
  t.true(await (await installed(t)).usesCache());
});

test('the build makes one for its own Node', async (t) => {
  const { usesCache, folder } = await installed(t);
  await copyFile(join('build', CACHE), join(folder, CACHE));
  t.true(await usesCache());
});

test('without a cache, and with a torn or foreign one, the agent runs all the same', async (t) => {
  const { cache, usesCache } = await installed(t);
  const whole = await readFile(cache);
  for (const content of [whole.subarray(0, whole.length / 2), Buffer.from('x'), Buffer.alloc(4096, 1)]) {
    await writeFile(cache, content);
    t.false(await usesCache());
  }
  await rm(cache);
  t.false(await usesCache());
});

test('a cache that others than its owner may write is not used', async (t) => {
  const { cache, usesCache } = await installed(t);
  for (const mode of [0o664, 0o646]) {
    await chmod(cache, mode);
    t.false(await usesCache());
  }
  await chmod(cache, 0o644);
  t.true(await usesCache());
});

whenPresent(process.geteuid?.() === 0, 'a cache of another user: root')(
  'a cache of another user is not used',
  async (t) => {
    const { cache, usesCache } = await installed(t);
    await chown(cache, 65534, 65534);
    t.false(await usesCache());
  },
);

test('a link to a cache is not followed', async (t) => {
  const { cache, folder, usesCache } = await installed(t);
  await rename(cache, join(folder, 'elsewhere'));
  await symlink(join(folder, 'elsewhere'), cache);
  t.false(await usesCache());
});

test('a cache of another bundle of the same length is not used, nor one older than the bundle', async (t) => {
  const { cache, folder, usesCache } = await installed(t);
  const bundle = join(folder, BUNDLE);
  const text = await readFile(bundle, 'latin1');
  await writeFile(bundle, text);
  t.false(await usesCache(), 'the bundle was written after the cache');
  const later = new Date(Date.now() + 60_000);
  await utimes(cache, later, later);
  t.true(await usesCache());
  await writeFile(bundle, text.replace(/^\/\*[0-9a-f]{64}/, `/*${'0'.repeat(64)}`));
  t.false(await usesCache());
});

test('errors tell the same place in the bundle with the cache and without it', async (t) => {
  const { cache, folder, program } = await installed(t);
  const probe = join(folder, 'throw.cjs');
  await writeFile(probe, "require('node:os').homedir = () => { throw new Error('for the test'); };");
  const stack = async () => {
    const error: unknown = await run(process.execPath, ['--require', probe, program, '--version']).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  };
  const cached = await stack();
  t.regex(cached, /Error: for the test[\s\S]*contextOf.*penguindome-agent\.bundle\.js:\d+:\d+/);
  await rm(cache);
  t.is(await stack(), cached);
});
