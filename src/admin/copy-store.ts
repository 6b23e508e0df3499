import { createHash } from 'node:crypto';
import { messageOf, OperatorError } from '../core/errors.ts';
import { isFields, type Value } from '../core/value.ts';
import type { Clock, Random } from '../core/world.ts';
import type { Store, StoredDocument } from '../store/port.ts';

export interface CopyDeps {
  from: Store;
  to: Store;
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  /** hears how many documents there were so far */
  progress(documents: number): void;
}

export interface Copied {
  documents: number;
  /** documents of each collection */
  collections: Record<string, number>;
  epoch: string;
}

/** MongoDB removes those that have expired by itself, at any moment. */
const FLEETING = 'signatures';
const PROGRESS_EACH = 10_000;

/**
 * All that one store holds into an empty one, in a new epoch, and read back. The target is under maintenance until it was found equal:
 * cut off at any moment before, it is empty, or no server takes reports for it. The source is only read.
 */
export async function copyStore(deps: CopyDeps): Promise<Copied> {
  const { from, to, clock, random } = deps;
  await refuseUnfinished(from);
  await refuseFilled(to);
  await to.upkeep.setMaintenance(clock.now());
  const sum = new Sum();
  const epoch = random.uuid();
  try {
    await to.upkeep.import(counted(deps, sum), epoch);
    const found = new Sum();
    for await (const document of to.upkeep.export()) {
      deps.signal.throwIfAborted();
      found.add(document);
    }
    if (!found.equals(sum)) throw new Error('what was read back is not what was written');
    await to.upkeep.setMaintenance(undefined);
  } catch (cause) {
    const why = deps.signal.aborted ? 'it was interrupted' : messageOf(cause);
    throw new OperatorError(
      `cannot finish the copy: ${why}; the source is as it was, and the target is of no use: it stays under maintenance, so remove it before you try again`,
      { cause },
    );
  }
  return { documents: sum.documents, collections: sum.collections, epoch };
}

async function refuseUnfinished(from: Store): Promise<void> {
  const { maintenance_since } = await from.state();
  if (maintenance_since !== undefined) {
    throw new OperatorError(
      `cannot copy the store: it is under maintenance since ${maintenance_since.toISOString()}: a restore, or a copy into it, is under way or was cut off, and it may be half`,
    );
  }
  for await (const _ of from.upkeep.export()) return;
  throw new OperatorError('cannot copy the store: it holds nothing; is it the right one?');
}

async function refuseFilled(to: Store): Promise<void> {
  for await (const _ of to.upkeep.export()) {
    const { maintenance_since } = await to.state();
    const why =
      maintenance_since === undefined
        ? 'holds something already'
        : 'holds what a copy or a restore left that was cut off';
    throw new OperatorError(
      `cannot copy into the target: it ${why}; name an empty one, or remove what is there yourself`,
    );
  }
}

/** Thrown in here, an error undoes the whole where the target has transactions. */
async function* counted({ from, signal, progress }: CopyDeps, sum: Sum): AsyncGenerator<StoredDocument> {
  for await (const document of from.upkeep.export()) {
    signal.throwIfAborted();
    sum.add(document);
    if (sum.documents % PROGRESS_EACH === 0) progress(sum.documents);
    yield document;
  }
  progress(sum.documents);
}

/** Of documents in whatever order, with keys in whatever order. */
class Sum {
  documents = 0;
  readonly collections: Record<string, number> = {};
  #total = 0n;

  add({ collection, document }: StoredDocument): void {
    this.documents++;
    this.collections[collection] = (this.collections[collection] ?? 0) + 1;
    if (collection === FLEETING) return;
    const text = JSON.stringify([collection, sorted(document)]);
    const digest = createHash('sha256').update(text).digest('hex');
    this.#total = BigInt.asUintN(256, this.#total + BigInt(`0x${digest}`));
  }

  equals(other: Sum): boolean {
    const counts = ({ collections: { [FLEETING]: _, ...rest } }: Sum) => JSON.stringify(Object.entries(rest).sort());
    return this.#total === other.#total && counts(this) === counts(other);
  }
}

function sorted(value: Value): unknown {
  if (value instanceof Date) return { date: value.getTime() };
  if (Array.isArray(value)) return value.map(sorted);
  if (!isFields(value)) return value;
  return Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key] ?? null)]);
}
