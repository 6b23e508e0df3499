import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { placesOf } from '../../src/agent/places.ts';
import { readJournal } from '../../src/agent/spool/journal.ts';
import { readBody } from '../../src/agent/spool/read-body.ts';
import { readReports } from '../../src/agent/spool/read-reports.ts';
import { setForeignAside, settle } from '../../src/agent/spool/settle.ts';
import { storeReport } from '../../src/agent/spool/store-report.ts';
import { readSubmitterState } from '../../src/agent/submitter-state.ts';
import { readTrust } from '../../src/agent/trust.ts';
import { OperatorError } from '../../src/core/errors.ts';
import type { Digest } from '../../src/core/host.ts';
import { FUZZ } from '../support/fuzz.ts';
import { scratchFolder } from '../support/scratch.ts';
import { realRandom } from '../support/world.ts';

/** On tmpfs where there is one: it is the readers that are tried, not the disk. */
const FAST = '/dev/shm';

const ids = Array.from({ length: 3 }, () => realRandom.uuid());
const digest = 'a'.repeat(64);
const name = fc.oneof(
  fc.constantFrom(...ids.flatMap((id) => [`${id}.json`, `${id}.ok`, `${id}.bad`]), digest, '.tmp-x', '..ok', '-rf'),
  fc.string({ minLength: 1, maxLength: 20 }).map((text) => text.replace(/[/\0]/g, '_')),
);
const field = fc.constantFrom(
  'id',
  'number',
  'digest',
  'list',
  'collected_at',
  'reason',
  'newest',
  'sequence',
  'chain',
);
const content = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc
    .dictionary(field, fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(...ids, digest)))
    .map((value) => JSON.stringify(value)),
);
/** A file as somebody with fewer rights may leave it. */
const file = fc.record({ name, content, kind: fc.constantFrom('file', 'file', 'file', 'folder', 'link') });

interface Planted {
  name: string;
  content: string;
  kind: string;
}

/** Readable by all, written by nobody. */
const LINKED = '/proc/version';
const EXCLUSIVE = { flag: 'wx' };

async function plant(folder: string, files: readonly Planted[]): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { name, content, kind } of files) {
    const path = join(folder, name);
    if (name === '.' || name === '..') continue;
    const work =
      kind === 'folder' ? mkdir(path) : kind === 'link' ? symlink(LINKED, path) : writeFile(path, content, EXCLUSIVE);
    // two of one name: nothing is written through a link
    await work.catch(() => undefined);
  }
}

async function fastFolder(t: Parameters<typeof scratchFolder>[0]): Promise<string> {
  try {
    const folder = await mkdtemp(join(FAST, 'penguindome-fuzz-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    return folder;
  } catch {
    return scratchFolder(t);
  }
}

test('whatever the submitter leaves in acks/, only reports that it names leave the spool, and nothing else is touched', async (t) => {
  const places = placesOf({ state: await fastFolder(t) });
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 4 }), async (acks) => {
        await plant(places.acks, acks);
        await plant(places.spool.reports, []);
        await mkdir(places.spool.bodies, { recursive: true });
        const reports = [];
        for (const [index, id] of ids.slice(0, 2).entries()) {
          const bodies = new Map([['plugins.n', String(index)]]);
          reports.push(await storeReport(places, { id, number: index + 1, collectedAt: new Date(0), bodies }));
        }
        const { waiting } = await settle(places, { waiting: reports, bad: [], foreign: [] });
        const named = (id: string) => acks.some(({ name }) => name === `${id}.ok` || name === `${id}.bad`);
        return String(waiting.map(({ id }) => id)) === String(ids.slice(0, 2).filter((id) => !named(id)));
      }),
      // each writes and syncs a dozen files
      { ...FUZZ, numRuns: (FUZZ.numRuns ?? 0) / 10 },
    ),
  );
});

test('whatever lies in the spool, it is a report of ours, or set aside', async (t) => {
  const places = placesOf({ state: await fastFolder(t) });
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 3 }), async (files) => {
        await plant(places.spool.reports, files);
        const { waiting, foreign } = await readReports(places);
        if (foreign.length > 0) await setForeignAside(places, foreign);
        await rm(places.spool.aside, { recursive: true, force: true });
        const again = await readReports(places);
        return waiting.length === 0 && again.foreign.length === 0;
      }),
      { ...FUZZ, numRuns: (FUZZ.numRuns ?? 0) / 5 },
    ),
  );
});

test('whatever stands in the files that the agent keeps for itself, they are read, or said to be damaged', async (t) => {
  const places = placesOf({ state: await fastFolder(t) });
  await mkdir(places.submit.root, { recursive: true });
  await mkdir(places.spool.bodies, { recursive: true });
  await mkdir(join(places.trust, '..'), { recursive: true });
  const saysSo = async (read: () => Promise<unknown>): Promise<boolean> => {
    try {
      await read();
      return true;
    } catch (error) {
      return error instanceof OperatorError;
    }
  };
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(content, async (text) => {
        for (const path of [places.submit.state, places.spool.journal, places.trust]) await writeFile(path, text);
        await writeFile(join(places.spool.bodies, digest), text);
        const body = await readBody(places, digest as Digest);
        await readJournal(places);
        return (
          body === undefined &&
          (await saysSo(() => readSubmitterState(places))) &&
          (await saysSo(() => readTrust(places)))
        );
      }),
      FUZZ,
    ),
  );
});
