// A process of its own that uses a store: what a test of several processes, or of a killed one, runs.
// In: what to open as JSON, then what to do. Out: a line of JSON for each thing acknowledged.
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../../src/core/errors.ts';
import type { KeyId } from '../../../src/core/host.ts';
import type { TrailRecord } from '../../../src/core/trail.ts';
import { openShared } from '../../../src/store/embedded/open-shared.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store, StoredReport } from '../../../src/store/port.ts';
import { realClock, realRandom, WRITER_VERSION } from '../world.ts';

const [place = '', mode = '', argument = ''] = process.argv.slice(2);
const { settings, socket } = JSON.parse(place);
const world = { clock: realClock, random: realRandom };
const store =
  socket === undefined
    ? await openStore(settings, world)
    : await openShared({ file: settings.file, socket, version: WRITER_VERSION, ...world });
console.log(JSON.stringify('open'));
if (mode === 'write') await writeOnAndOn(store);
else if (mode === 'persist') await persist(store, argument);
else for await (const line of createInterface(process.stdin)) await race(store, JSON.parse(line));
await store.close();

/** Until it is killed: a report with its trail, then its number. */
async function writeOnAndOn(open: Store): Promise<void> {
  for (let n = 0; ; n++) {
    const at = new Date(1_700_000_000_000 + n);
    // as the server does: what it finds waiting there is moved (store/mongo/move-trail.ts)
    await open.hosts.find(`host-${n % 7}`);
    await open.hosts.storeV1({
      hostname: `host-${n % 7}`,
      at,
      plugins: { n, padding: argument.repeat(500) },
      trail: [{ hostname: `host-${n % 7}`, audited_at: at, key: 'plugins.n', type: 'change', new: n }],
    });
    console.log(JSON.stringify(n));
  }
}

/**
 * Several reports at once, on and on until its input ends, whatever becomes of the store meanwhile: each with its trail.
 * Says the number of each that was acknowledged.
 */
async function persist(open: Store, name: string): Promise<void> {
  let ended = false;
  process.stdin.resume().once('end', () => {
    ended = true;
  });
  const report = async (lane: number) => {
    const hostname = `${name}-${lane}`;
    for (let n = 0; !ended; n++) {
      const at = new Date(1_700_000_000_000 + n);
      const trail: TrailRecord[] = [{ hostname, audited_at: at, key: 'plugins.n', type: 'change', new: n }];
      try {
        await open.hosts.find(hostname);
        await open.hosts.storeV1({ hostname, at, plugins: { n, padding: 'x'.repeat(3000) }, trail });
        console.log(JSON.stringify([hostname, n]));
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        await sleep(10);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, lane) => report(lane)));
}

/** One round of each race that a line tells of. Dates come as text. */
async function race(
  open: Store,
  round: { key_id: KeyId; sequence: number; token: string; report: StoredReport; newcomer: KeyId },
): Promise<void> {
  const { answer, collected_at, trail, ...report } = round.report;
  const used = await open.tokens.use(round.token, round.newcomer, new Date(0));
  const stored = await open.hosts.storeReport({
    ...report,
    answer: { ...answer, at: new Date(answer.at) },
    collected_at: new Date(collected_at),
    trail: trail.map((record) => ({ ...record, audited_at: new Date(record.audited_at) })),
  });
  const spent = await open.hosts.spend({ key_id: round.key_id, sequence: round.sequence }, new Date());
  const opened = await open.issues.open('raced', `round-${round.token}`, new Date(0));
  const remembered = await open.signatures.remember(`signature-${round.token}`, new Date(Date.now() + 60_000));
  console.log(JSON.stringify({ used: used.outcome, stored, spent: spent.outcome, opened, remembered }));
}
