import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import type { AgentMain } from './agent-main.ts';

// Loads the agent (agent-main.ts) out of the bundle beside this file, and with it, where there is one, the code that V8 compiled
// of it in an earlier run: compiling takes longer than the work of a timer's call. packaging/build.mjs writes the bundle.

const BUNDLE = join(__dirname, 'penguindome-agent.bundle.js');
/** Its name comes behind the bundle's, so that whatever copies the folder in order leaves it the newer one. */
const CACHE = join(__dirname, 'penguindome-agent.code-cache');
/** For the package's install step, as root: the cache fits one version of V8 only. */
const MAKE_CACHE = '--make-code-cache';

/** The bundle begins with its own SHA-256 in a comment. V8 itself compares no more than the length. */
const STAMP = { from: 2, to: 66 };
/** Room for the stamp in front of V8's data, which has to be aligned. */
const HEADER = 64;

interface File {
  content: Buffer;
  stats: Stats;
}

function read(path: string): File {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    return { content: stats.isFile() ? readFileSync(fd) : Buffer.alloc(0), stats };
  } finally {
    closeSync(fd);
  }
}

/** A cache is code: it counts only where nobody but the bundle's owner can have written it, and for this very bundle. */
function readCache(bundle: File, stamp: string): Buffer | undefined {
  try {
    const { content, stats } = read(CACHE);
    if (stats.uid !== bundle.stats.uid || (stats.mode & 0o022) !== 0) return undefined;
    if (stats.mtimeMs < bundle.stats.mtimeMs || content.toString('latin1', 0, HEADER) !== stamp) return undefined;
    return content.subarray(HEADER);
  } catch {
    return undefined;
  }
}

function load(useCache: boolean): { script: Script; stamp: string; agent: AgentMain } {
  const bundle = read(BUNDLE);
  // The build leaves nothing but ASCII in it.
  const source = bundle.content.toString('latin1');
  const stamp = source.slice(STAMP.from, STAMP.to);
  const cachedData = useCache ? readCache(bundle, stamp) : undefined;
  const script = new Script(source, { filename: BUNDLE, ...(cachedData === undefined ? {} : { cachedData }) });
  const module: { exports: Partial<AgentMain> } = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(BUNDLE), module, BUNDLE, __dirname);
  const { main, rehearse } = module.exports;
  if (main === undefined || rehearse === undefined) throw new Error(`cannot use ${BUNDLE}: it is not the agent`);
  return { script, stamp, agent: { main, rehearse } };
}

if (process.argv[2] === MAKE_CACHE) {
  const { script, stamp, agent } = load(false);
  const content = () => Buffer.concat([Buffer.from(stamp, 'latin1'), script.createCachedData()]);
  void agent.rehearse({ file: CACHE, content });
} else {
  void load(true).agent.main();
}
