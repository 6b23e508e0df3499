import type { Stats } from 'node:fs';
import { lchown, lstat, mkdir, open, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { messageOf, StoreUnavailable } from '../../core/errors.ts';
import type { Clock, Random } from '../../core/world.ts';
import type { Store } from '../port.ts';
import { type Engine, openEngine } from './engine.ts';
import { groupCommits } from './group-commit.ts';
import { migrate } from './schema.ts';
import { storeOn } from './store-on.ts';
import { upkeepOf } from './upkeep.ts';
import { type WriteArguments, type WriteName, type Writes, writesOn } from './writes.ts';

/** The store in one file. Several processes may have it open at once; each verb is one transaction. */
export async function openEmbedded(file: string, { clock, random }: { clock: Clock; random: Random }): Promise<Store> {
  const engine = await openToWrite(file, random);
  const group = groupCommits(engine);
  const writes: Writes = writesOn(engine);
  return storeOn({
    reader: engine,
    write: <N extends WriteName>(name: N, ...given: WriteArguments[N]) => group.commit(() => writes[name](...given)),
    clock,
    upkeep: upkeepOf(file, () => connect(file), clock),
    close: async () => {
      group.flush();
      engine.close();
    },
  });
}

/** Makes the file where there is none, and brings its schema up to date. */
export async function openToWrite(file: string, random: Random): Promise<Engine> {
  await makeFile(file);
  const engine = connect(file);
  try {
    migrate(engine, random.uuid());
  } catch (error) {
    engine.close();
    throw error;
  }
  return engine;
}

/** Bytes of the log that stay when it begins anew: it grows only while somebody reads for long, an export for one. */
const LOG_KEPT = 64 * 1024 * 1024;

/** WAL: readers and one writer at once. FULL: a commit is on disk before the call returns. */
export function connect(file: string): Engine {
  const engine = openEngine(file);
  engine.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${LOG_KEPT}`);
  return engine;
}

/** The folder 0750, the file 0640, and of their folder's owner: the operator's commands may run as root, the server does not. */
async function makeFile(file: string): Promise<void> {
  const folder = dirname(file);
  try {
    await makeFolder(folder);
    const handle = await open(file, 'ax', 0o640).catch((error: unknown) => {
      if (error instanceof Error && Reflect.get(error, 'code') === 'EEXIST') return undefined;
      throw error;
    });
    if (handle === undefined) return;
    await handle.chmod(0o640);
    const [owner, made] = await Promise.all([stat(folder), handle.stat()]);
    if (!isSameOwner(owner, made)) await handle.chown(owner.uid, owner.gid).catch(() => undefined);
    await handle.close();
  } catch (cause) {
    throw new StoreUnavailable(`cannot make the store's file ${file}: ${messageOf(cause)}`, { cause });
  }
}

/** Each folder that is made here belongs to whom the one around it does. lchown: whoever owns that may have put a link there meanwhile. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o750 });
  if (first === undefined) return;
  const owner = await stat(dirname(first));
  const below = relative(first, folder).split(sep).filter(Boolean);
  for (let depth = 0; depth <= below.length; depth++) {
    const made = join(first, ...below.slice(0, depth));
    if (!isSameOwner(owner, await lstat(made))) await lchown(made, owner.uid, owner.gid).catch(() => undefined);
  }
}

type Owner = Pick<Stats, 'uid' | 'gid'>;

function isSameOwner(one: Owner, other: Owner): boolean {
  return one.uid === other.uid && one.gid === other.gid;
}
