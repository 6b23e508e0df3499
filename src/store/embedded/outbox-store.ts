import type { OutboxEntry } from '../../core/delivery.ts';
import type { OutboxFilter, OutboxStore } from '../port.ts';
import type { Engine } from './engine.ts';
import { dueInOutbox, pageOfOutbox } from './outbox.ts';
import type { Write } from './writes.ts';

const PAGE = 100;
/** Entries that are put in at once: others write in between. */
const BATCH = 1000;

export function outboxStore(reader: Engine, write: Write): OutboxStore {
  return {
    async add(entries) {
      let added = 0;
      for (let from = 0; from < entries.length; from += BATCH) {
        added += await write('addToOutbox', entries.slice(from, from + BATCH));
      }
      return added;
    },
    list: (filter) => list(reader, filter),
    due: async (at) => dueInOutbox(reader, at),
    claim: (messages, claim) => write('claimInOutbox', messages, claim),
    settle: (by, keys, settlement) => write('settleInOutbox', by, keys, settlement),
    revive: (messages, at) => write('reviveInOutbox', messages, at),
    expire: (before) => write('expireOutbox', before),
  };
}

async function* list(engine: Engine, filter: OutboxFilter): AsyncGenerator<OutboxEntry> {
  let after = { created_at: new Date(0), key: '' };
  for (;;) {
    const page = pageOfOutbox(engine, filter, after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last;
  }
}
