import type { Clock, Random } from '../../core/world.ts';
import type { Store } from '../port.ts';
import { type Engine, openEngine } from './engine.ts';
import { readState } from './meta.ts';
import { connect } from './open-embedded.ts';
import { storeOn } from './store-on.ts';
import { upkeepOf } from './upkeep.ts';
import { linkToWriter } from './writer-link.ts';

export interface SharedOptions {
  file: string;
  socket: string;
  /** of the product: the writer must be of the same */
  version: string;
  clock: Clock;
  random: Random;
}

/**
 * The store as one of several processes sees it: reads by itself, writes through the writer (serve-writes.ts),
 * to which it connects again where it loses it. A read that begins after a write was answered sees it.
 * @throws StoreUnavailable where no writer answers within a few seconds
 * @throws OperatorError where the writer has another file, or is of another version
 */
export async function openShared({ file, socket, version, clock }: SharedOptions): Promise<Store> {
  const link = await linkToWriter({ file, socket, version });
  let reader: Engine;
  try {
    reader = openEngine(file);
    reader.exec('PRAGMA query_only = ON');
  } catch (error) {
    link.close();
    throw error;
  }
  return storeOn({
    reader,
    write: link.write,
    clock,
    upkeep: upkeepOf(file, () => connect(file), clock),
    state: async () => {
      await link.check();
      return readState(reader);
    },
    close: async () => {
      await link.close();
      reader.close();
    },
  });
}
