// A process of its own that uses the orders of a store: what a test of several processes, or of a killed one, runs.
// In: what to open as JSON, then what to do. Out: a line of JSON for each thing done.
import { createInterface } from 'node:readline';
import type { HostId } from '../../../src/core/host.ts';
import { openShared } from '../../../src/store/embedded/open-shared.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/port.ts';
import { anOrder, anOrderReport } from '../orders.ts';
import { realClock, realRandom, WRITER_VERSION } from '../world.ts';

const [place = '', mode = '', argument = ''] = process.argv.slice(2);
const { settings, socket } = JSON.parse(place);
const world = { clock: realClock, random: realRandom };
const store =
  socket === undefined
    ? await openStore(settings, world)
    : await openShared({ file: settings.file, socket, version: WRITER_VERSION, ...world });
console.log(JSON.stringify('open'));
if (mode === 'insert') await insertOnAndOn(store, Number(argument));
else for await (const line of createInterface(process.stdin)) await race(store, JSON.parse(line));
await store.close();

/** Until it is killed: says the id, puts in the order for so many hosts, and says it again. */
async function insertOnAndOn({ orders }: Store, hosts: number): Promise<void> {
  for (;;) {
    const order = anOrder({ hosts, expires_at: new Date('2100-01-01') });
    console.log(JSON.stringify({ about: order.id }));
    const targets = Array.from({ length: hosts }, (_, index) => ({
      host_id: `${order.id}-${index}` as HostId,
      hostname: `${order.id.slice(-12)}-${index}`,
    }));
    await orders.insert(order, targets);
    console.log(JSON.stringify({ done: order.id }));
  }
}

/** One round of each race. `name` tells the two apart. */
async function race(
  { orders }: Store,
  round: {
    name: string;
    order: string;
    cancelled: string;
    release: number;
    host_id: HostId;
    number: number;
    from: number;
  },
): Promise<void> {
  const { name, order, cancelled, release, host_id, number, from } = round;
  const at = new Date();
  const host = { host_id, hostname: 'raced' };
  const head = (of: number, hash: string) => ({ number: of, hash: hash.repeat(64) });
  const given =
    name === 'a' ? await orders.markFetched([cancelled], host, at) : { ended: await orders.cancel(cancelled, at) };
  const inserted = await orders.insert(anOrder({ kind: 'release', release, hosts: null }), [host]);
  const state = name === 'a' ? ('done' as const) : ('failed' as const);
  const reported = await orders.report(host_id, anOrderReport(order, { number, state, reason: name }));
  const moved = await orders.moveReceipts(host_id, from === 0 ? null : head(from, 'c'), head(from + 1, 'c'));
  const signed = await orders.addSignature(order, `by ${name}`, new Date(0));
  const told = await orders.putStatement({ kind: 'order-key', number: release, document: { name } });
  console.log(JSON.stringify({ given, inserted, reported, moved, signed, told }));
}
