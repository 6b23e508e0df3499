import { setImmediate } from 'node:timers/promises';
import type { Host } from '../../core/host.ts';
import { hostOf } from '../host-document.ts';
import type { HeldKey, HostFilter, HostStore, Speaker, Spent } from '../port.ts';
import type { Engine } from './engine.ts';
import { hostFacts } from './host-facts.ts';
import { hostCondition } from './host-filter.ts';
import { checkInRow, checksRow, goneRow, reportRow, v1Row } from './prepare.ts';
import { findHost, findHostById, findHostByKey, findKey, namesakes, pageOfHosts, pageOfKeys } from './read-host.ts';
import { integer } from './row.ts';
import type { Write } from './writes.ts';

/** Documents in memory at once while the fleet goes by. */
const PAGE = 10;
/** Short rows: a page takes less than a millisecond. */
const KEYS_AT_ONCE = 100;

export function hostStore(reader: Engine, write: Write): HostStore {
  return {
    find: async (hostname) => findHost(reader, hostname),
    namesakes: async (hostname) => namesakes(reader, hostname),
    findById: async (id) => findHostById(reader, id),
    findByKey: async (key) => findHostByKey(reader, key),
    findKey: async (key) => findKey(reader, key),
    keys: () => eachKey(reader),
    list: (filter) => listHosts(reader, filter ?? {}),
    facts: (filter, checks = []) => hostFacts(reader, filter, checks),
    count: async () => countHosts(reader),
    spend: (speaker, at) => spend(reader, write, speaker, at),
    checkIn: (report) => write('checkIn', checkInRow(report)),
    storeReport: (report) => write('storeReport', reportRow(report)),
    settleGone: (gone) => write('settleGone', goneRow(gone)),
    storeV1: (report) => write('storeV1', v1Row(report)),
    attach: (hostname, identity, options) => write('attach', hostname, identity, options),
    rename: (renaming, at) => write('rename', renaming, at),
    claim: (host, name) => write('claim', host, name),
    replace: (hostname, newcomer, at) => write('replace', hostname, newcomer, at),
    rotate: (rotation, at) => write('rotate', rotation, at),
    clearChain: (hostname, id) => write('clearChain', hostname, id),
    markLost: (hostname, since) => write('markLost', hostname, since),
    revokeKey: (key, at) => write('revokeKey', key, at),
    saveJudgement: (hostname, submitted_at, checks) =>
      write('saveJudgement', hostname, submitted_at, checksRow(checks)),
    settle: (hostname, evaluated_at) => write('settle', hostname, evaluated_at),
    suspend: (hostname, suspended) => write('suspend', hostname, suspended),
    forget: (hostname, at) => write('forget', hostname, at),
  };
}

/** Who used a number up reads the host after that: it is as it was then, or newer. */
async function spend(reader: Engine, write: Write, { key_id, sequence }: Speaker, at: Date): Promise<Spent> {
  const advanced = await write('spend', key_id, sequence, at);
  if (advanced.outcome !== 'spent') return advanced;
  const host = findHostByKey(reader, key_id);
  return host === undefined ? { outcome: 'unknown' } : { outcome: 'spent', host };
}

/** Page by page, so that no statement stays open while the caller works: others may write meanwhile. */
async function* listHosts(engine: Engine, filter: HostFilter): AsyncGenerator<Host> {
  const { where, values } = hostCondition(filter);
  let after = '';
  for (;;) {
    const page = pageOfHosts(engine, { after, limit: PAGE, where, values });
    for (const { document } of page) {
      const host = hostOf(document);
      if (host !== undefined) yield host;
    }
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.hostname;
  }
}

/** Others have their turn after each page. */
async function* eachKey(engine: Engine): AsyncGenerator<HeldKey> {
  let after = '';
  for (;;) {
    const page = pageOfKeys(engine, { after, limit: KEYS_AT_ONCE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.key_id;
    await setImmediate();
  }
}

function countHosts(engine: Engine): number {
  const row = engine.get('SELECT count(*) AS hosts FROM hosts');
  return row === undefined ? 0 : integer(row, 'hosts');
}
