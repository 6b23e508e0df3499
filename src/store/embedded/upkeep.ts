import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { days } from '../../core/duration.ts';
import type { Clock } from '../../core/world.ts';
import type { StoredDocument, UpkeepStore } from '../port.ts';
import { type Engine, openEngine } from './engine.ts';
import { exportDocuments } from './export.ts';
import { importDocuments } from './import.ts';

/** A copy that an export which was killed left behind goes with the first export that comes later than this. */
const ABANDONED = days(1);

/** What takes long has a connection of its own. @param connect makes another connection to the same file */
export function upkeepOf(file: string, connect: () => Engine, clock: Clock): Pick<UpkeepStore, 'export' | 'import'> {
  return {
    export: () => exportCopy(connect, file, clock),
    import: async (documents, epoch) => {
      // Its transaction is open over many turns of the event loop: what others do must not fall into it.
      const own = connect();
      try {
        await importDocuments(own, documents, epoch);
      } finally {
        own.close();
      }
    },
  };
}

/** One moment's picture: VACUUM INTO copies the file as it is now, and the copy is read at leisure. */
async function* exportCopy(connect: () => Engine, file: string, clock: Clock): AsyncGenerator<StoredDocument> {
  const prefix = `${basename(file)}.export-`;
  await removeAbandoned(dirname(file), prefix, new Date(clock.now().getTime() - ABANDONED));
  const folder = await mkdtemp(join(dirname(file), prefix));
  try {
    const copy = join(folder, 'copy.db');
    const source = connect();
    try {
      source.run('VACUUM INTO ?', copy);
    } finally {
      source.close();
    }
    const reader = openEngine(copy);
    try {
      yield* exportDocuments(reader);
    } finally {
      reader.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeAbandoned(folder: string, prefix: string, before: Date): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(folder, name);
    const { mtime } = await stat(path);
    if (mtime < before) await rm(path, { recursive: true, force: true });
  }
}
