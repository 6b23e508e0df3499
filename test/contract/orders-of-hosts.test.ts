import { v7 } from 'uuid';
import type { Order } from '../../src/core/order.ts';
import type { Store } from '../../src/store/port.ts';
import { anEnrollment, enrolledHost } from '../support/documents.ts';
import { anOrder, anOrderReport, listed, putContent, statesOf, targetsOf } from '../support/orders.ts';
import { forEachStore } from '../support/stores.ts';

const AT = new Date('2026-11-23T13:00:00.004Z');
const HEAD = { number: 1, hash: 'a'.repeat(64) };

async function hostWithOrders(store: Store, hostname: string, orders: readonly Order[]) {
  const host = await enrolledHost(store, { hostname });
  const { host_id } = host.identity;
  for (const order of orders) await store.orders.insert(order, [{ host_id, hostname }]);
  await store.orders.moveReceipts(host_id, null, HEAD);
  return { ...host, host_id };
}

const newcomer = (host_id: string) => {
  const { key_id, public_key, sequence } = anEnrollment();
  return { host_id, key: { id: key_id, public_key, added_at: AT }, sequence } as Parameters<
    Store['hosts']['replace']
  >[1];
};

forEachStore((kind, test, prepare) => {
  test(`${kind}: orders are shown under the new name of a host that was renamed`, async (t) => {
    const store = await (await prepare(t)).open();
    const order = anOrder();
    const { host_id } = await hostWithOrders(store, 'a', [order]);
    t.is(await store.hosts.rename({ id: host_id, from: 'a', to: 'b' }, AT), 'renamed');
    t.deepEqual(await statesOf(store.orders, order.id), { b: 'queued' });
    t.is((await store.orders.pendingFor({ host_id, release: 0 }, AT))[0]?.manifest, order.manifest);
    t.deepEqual(await store.orders.receipts(host_id), HEAD);
  });

  test(`${kind}: what was pending for a host that is forgotten is cancelled; what became of the rest stays`, async (t) => {
    const store = await (await prepare(t)).open();
    const [done, fetched, queued] = [anOrder(), anOrder(), anOrder()];
    const { host_id } = await hostWithOrders(store, 'a', [done, fetched, queued]);
    await store.orders.report(host_id, anOrderReport(done.id));
    await store.orders.markFetched([fetched.id], { host_id, hostname: 'a' }, AT);
    const other = await hostWithOrders(store, 'b', [anOrder()]);
    t.true(await store.hosts.forget('a', AT));
    t.deepEqual(await statesOf(store.orders, done.id), { a: 'done' });
    t.deepEqual(await statesOf(store.orders, fetched.id), { a: 'cancelled' });
    t.deepEqual(await statesOf(store.orders, queued.id), { a: 'cancelled' });
    t.deepEqual(await store.orders.queuedHosts(AT), [{ host_id: other.host_id, hostname: 'b' }]);
    t.is(await store.orders.receipts(host_id), undefined);
    t.deepEqual(await store.orders.receipts(other.host_id), HEAD);
  });

  test(`${kind}: a machine that takes a host's place has its orders, but is not wiped for it`, async (t) => {
    const store = await (await prepare(t)).open();
    const [done, fetched, queued] = [anOrder(), anOrder(), anOrder({ kind: 'patch' })];
    const [wipe, unlock, wiped] = [anOrder({ kind: 'wipe' }), anOrder({ kind: 'unlock' }), anOrder({ kind: 'wipe' })];
    const release = anOrder({ kind: 'release', release: 1, hosts: null });
    const { host_id } = await hostWithOrders(store, 'a', [done, fetched, queued, wipe, unlock, wiped, release]);
    const host = { host_id, hostname: 'a' };
    await store.orders.report(host_id, anOrderReport(done.id));
    await store.orders.report(host_id, anOrderReport(wiped.id));
    await store.orders.report(host_id, anOrderReport(release.id));
    await store.orders.report(host_id, anOrderReport(fetched.id, { number: 7, state: 'waiting' }));
    await store.orders.markFetched([wipe.id, queued.id], host, AT);
    t.true(await store.hosts.replace('a', newcomer(host_id), AT));
    const state = async ({ id }: Order) => (await statesOf(store.orders, id))['a'];
    t.is(await state(done), 'done');
    t.is(await state(wiped), 'done');
    t.is(await state(fetched), 'queued', 'the new machine does not have it');
    t.is(await state(queued), 'queued');
    t.is(await state(wipe), 'cancelled');
    t.is(await state(unlock), 'cancelled');
    const given = (await store.orders.pendingFor({ host_id, release: 0 }, AT)).map(({ id }) => id);
    t.deepEqual([...given].sort(), [fetched.id, queued.id, release.id].sort());
    t.is(await store.orders.receipts(host_id), undefined, 'its chain is its own');
    await store.orders.report(host_id, anOrderReport(fetched.id, { number: 1 }));
    t.is(await state(fetched), 'done', 'it counts its reports anew');
    t.is(await store.orders.cancel(queued.id, AT), 1, 'the former machine alone had it');
  });

  test(`${kind}: an import replaces orders, and what belongs to them`, async (t) => {
    const store = await (await prepare(t)).open();
    const file = await putContent(store.orders, Buffer.from('content'));
    const order = anOrder({ files: [file] });
    const { host_id } = await hostWithOrders(store, 'a', [order]);
    await store.orders.putStatement({ kind: 'order-key', number: 1, document: { x: 1 } });
    await store.upkeep.import((async function* () {})(), v7());
    t.deepEqual(await listed(store.orders), []);
    t.deepEqual(await targetsOf(store.orders, {}), []);
    t.is(await store.orders.readFile(file.sha256, 0, 9), undefined);
    t.is(await store.orders.receipts(host_id), undefined);
    t.deepEqual(await store.orders.statements('order-key', 0), []);
  });
});
