import { once } from 'node:events';
import type { ExecutionContext } from 'ava';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/port.ts';
import { type Cut, cuttingProxy } from '../../support/cutting-proxy.ts';
import { whenPresent } from '../../support/needs.ts';
import { mongod, ownMongod } from '../../support/own-mongod.ts';
import { runStoreWorker } from '../../support/programs.ts';
import { realClock, realRandom } from '../../support/world.ts';

const test = whenPresent(mongod !== undefined, 'moving the trail while its mover, or mongod, is killed: no mongod');

const INSERTION = ['insert', 'audit_trail'];
const REMOVAL = ['$pull', 'trail_waiting'];
const CUTS: Record<string, Cut> = {
  'between the commit and the insertion': { request: INSERTION, at: 'request' },
  'after the insertion, unanswered': { request: INSERTION, at: 'answer' },
  'between insertion and removal': { request: REMOVAL, at: 'request' },
  'after the removal, unanswered': { request: REMOVAL, at: 'answer' },
};

for (const [moment, cut] of Object.entries(CUTS)) {
  for (const victim of ['writer', 'mongod'] as const) {
    test(`the ${victim} is killed ${moment}: each record of the trail is there once, and still is when it has moved`, async (t) => {
      const server = await ownMongod(t, '--wiredTigerCacheSizeGB', '0.25');
      const [address = ''] = server.settings.hosts;
      const kill = { writer: async () => void worker?.child.kill('SIGKILL'), mongod: server.kill };
      let worker: Awaited<ReturnType<typeof runStoreWorker>> | undefined;
      const proxy = await cuttingProxy(t, { port: Number(address.split(':')[1]) }, cut, kill[victim]);
      const through = { ...server.settings, hosts: [`127.0.0.1:${proxy.port}`] };
      worker = await runStoreWorker(t, JSON.stringify({ settings: through }), 'write', 'x');
      const closed = once(worker.child, 'close');
      await proxy.cut;
      worker.child.kill('SIGKILL');
      await closed;
      if (victim === 'mongod') await server.start();

      const store = await openAgain(t, server.settings);
      const acknowledged = Math.max(...worker.rest().map(Number));
      t.true(acknowledged >= 100, `${acknowledged}: enough that some had to move`);
      const stored = await countTrail(t, store);
      t.true(stored > acknowledged, `${stored} stored, ${acknowledged + 1} acknowledged`);
      for (let n = 0; n < 7; n++) await store.hosts.find(`host-${n}`);
      t.is(await countTrail(t, store), stored);
      await store.close();
      const later = await openAgain(t, server.settings);
      t.is(await countTrail(t, later), stored);
      t.true(await later.hosts.forget('host-0', new Date()));
      t.is((await later.trail.history('host-0', { limit: 10_000 })).length, Math.ceil(stored / 7));
    });
  }
}

/** A mongod that was killed takes a while to come back. */
async function openAgain(t: ExecutionContext, settings: Parameters<typeof openStore>[0]): Promise<Store> {
  for (;;) {
    try {
      const store = await openStore(settings, { clock: realClock, random: realRandom });
      t.teardown(() => store.close());
      return store;
    } catch (error) {
      t.log(String(error));
    }
  }
}

/** All records, in history and export; each report has left one, with its number. */
async function countTrail(t: ExecutionContext, store: Store): Promise<number> {
  const numbers: number[] = [];
  for (let n = 0; n < 7; n++) {
    const trail = await store.trail.history(`host-${n}`, { limit: 10_000 });
    numbers.push(...trail.map((record) => Number(record.new)));
    t.is((await store.hosts.find(`host-${n}`))?.plugins?.['n'], trail[0]?.new, 'the host is as its trail says');
  }
  const exported: number[] = [];
  for await (const { collection, document } of store.upkeep.export()) {
    if (collection === 'audit_trail') exported.push(Number(document['new']));
  }
  const inOrder = (some: number[]) => some.toSorted((a, b) => a - b);
  t.deepEqual(inOrder(numbers), Array.from(numbers.keys()), 'each once');
  t.deepEqual(inOrder(exported), inOrder(numbers));
  return numbers.length;
}
