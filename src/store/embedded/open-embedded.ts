import { chown, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
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

/** The folder 0750, the file 0640, and of the folder's owner: the operator's commands may run as root, the server does not. */
async function makeFile(file: string): Promise<void> {
  const folder = dirname(file);
  try {
    await mkdir(folder, { recursive: true, mode: 0o750 });
    const handle = await open(file, 'ax', 0o640).catch((error: unknown) => {
      if (error instanceof Error && Reflect.get(error, 'code') === 'EEXIST') return undefined;
      throw error;
    });
    if (handle === undefined) return;
    await handle.chmod(0o640);
    await handle.close();
    const [owner, made] = await Promise.all([stat(folder), stat(file)]);
    if (owner.uid !== made.uid || owner.gid !== made.gid)
      await chown(file, owner.uid, owner.gid).catch(() => undefined);
  } catch (cause) {
    throw new StoreUnavailable(`cannot make the store's file ${file}: ${messageOf(cause)}`, { cause });
  }
}
