import { setTimeout as sleep } from 'node:timers/promises';
import type { Milliseconds } from '../../core/duration.ts';
import { OperatorError } from '../../core/errors.ts';
import type { Clock } from '../../core/world.ts';
import type { OriginalDatabase, Unreadable } from '../../store/original-database.ts';
import type { Store, StoredDocument } from '../../store/port.ts';
import { whyUnseen } from './why-unseen.ts';

export type Counts = Record<string, number>;

export interface Copied {
  /** documents of the original that are in the store now */
  counts: Counts;
  unreadable: Unreadable[];
}

export interface CopyDeps {
  store: Store;
  original: OriginalDatabase;
  clock: Clock;
  signal: AbortSignal;
  /** until every server has seen the mark of maintenance: they look each second */
  pause: Milliseconds;
}

/**
 * All of the original's documents into a store without hosts, in one transaction and a new epoch; what is in the store already
 * (tokens, say) stays. Servers answer 503 meanwhile. Where it fails or is killed, the store is as it was.
 */
export async function copyDatabase(deps: CopyDeps, epoch: string): Promise<Copied> {
  const { store, original, clock, signal, pause } = deps;
  const before = await original.counts();
  await store.upkeep.setMaintenance(clock.now());
  try {
    await sleep(pause, undefined, { signal });
    await refuseHosts(store);
    const own = await collect(store);
    const copied: Copied = { counts: {}, unreadable: [] };
    await store.upkeep.import(documentsOf(deps, { own, before, copied }), epoch);
    await compare(store, own, copied.counts);
    return copied;
  } finally {
    await store.upkeep.setMaintenance(undefined);
  }
}

export async function refuseHosts(store: Store): Promise<void> {
  const hosts = (await store.hosts.count()) + (await store.enrollments.list()).length;
  if (hosts === 0) return;
  throw new OperatorError(
    `cannot take over the original's database: ${hosts} hosts have reported or enrolled here already, and would be lost; use --no-database to take over everything else`,
  );
}

async function collect({ upkeep }: Store): Promise<StoredDocument[]> {
  const own: StoredDocument[] = [];
  for await (const document of upkeep.export()) own.push(document);
  return own;
}

/** Thrown in here, an error undoes the whole. */
async function* documentsOf(
  { original, signal }: CopyDeps,
  { own, before, copied }: { own: StoredDocument[]; before: Counts; copied: Copied },
): AsyncGenerator<StoredDocument> {
  const hosts = new Set<unknown>();
  const left: Counts = {};
  const leave = (found: Unreadable) => {
    copied.unreadable.push(found);
    left[found.collection] = (left[found.collection] ?? 0) + 1;
  };
  yield* own;
  for await (const { collection, document, id } of original.documents(leave)) {
    signal.throwIfAborted();
    const { hostname } = document;
    if (collection === 'clients' && hosts.has(hostname)) {
      leave({ collection, id: id(), why: 'its host has another document, which came before it' });
      continue;
    }
    if (collection === 'clients') hosts.add(hostname);
    const unseen = whyUnseen(collection, document, id);
    if (unseen !== undefined) copied.unreadable.push(unseen);
    copied.counts[collection] = (copied.counts[collection] ?? 0) + 1;
    yield { collection, document: withoutIdentity(collection, document) };
  }
  for (const [name, count] of Object.entries(before)) {
    const read = (copied.counts[name] ?? 0) + (left[name] ?? 0);
    if (read !== count) {
      throw new OperatorError(
        `cannot copy the database: ${name} had ${count} documents and then ${read}: stop the original's server, and run it again; nothing was copied`,
      );
    }
  }
}

/** A host comes in by enrolment alone, whatever somebody has written into the original's database. */
function withoutIdentity(collection: string, document: StoredDocument['document']): StoredDocument['document'] {
  if (collection !== 'clients') return document;
  const { identity: _, checks: __, settled: ___, ...rest } = document;
  return rest;
}

async function compare(store: Store, own: StoredDocument[], counts: Counts): Promise<void> {
  const found: Counts = {};
  for await (const { collection } of store.upkeep.export()) found[collection] = (found[collection] ?? 0) + 1;
  for (const [name, count] of Object.entries(counts)) {
    const expected = count + own.filter(({ collection }) => collection === name).length;
    if (found[name] === expected) continue;
    throw new OperatorError(`cannot vouch for the copy: ${name} has ${found[name] ?? 0} documents, not ${expected}`);
  }
}
