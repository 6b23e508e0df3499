import { v7 } from 'uuid';
import type { HostId } from '../../src/core/host.ts';
import type { Order } from '../../src/core/order.ts';
import type { OrderStore } from '../../src/store/port.ts';
import { MOST_SIGNATURES } from '../../src/wire/v2/order.ts';
import { anOrder, anOrderReport, aTarget, listed, statesOf, targetsOf } from '../support/orders.ts';
import { forEachStore } from '../support/stores.ts';

const AT = new Date('2026-11-23T13:00:00.004Z');
const after = (milliseconds: number) => new Date(AT.getTime() + milliseconds);
const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 12, minute));
const ids = (orders: readonly Pick<Order, 'id'>[]) => orders.map(({ id }) => id);
const pending = async (orders: OrderStore, host_id: HostId, release = 0, now = AT) =>
  ids(await orders.pendingFor({ host_id, release }, now));

forEachStore((kind, test, prepare) => {
  test(`${kind}: an order comes back as it was put in, and once`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const [one, other] = [aTarget({ hostname: 'b' }), aTarget({ hostname: 'a' })];
    const order = anOrder({
      hosts: 2,
      not_before: at(5),
      files: [{ sha256: 'a'.repeat(64), size: 7 }],
      why: 'because $x',
    });
    t.true(await orders.insert(order, [one, other]));
    t.deepEqual(await orders.find(order.id), order);
    t.is(await orders.find(v7()), undefined);
    t.deepEqual(await targetsOf(orders, { order: order.id }), [
      { order: order.id, ...other, state: 'queued', at: order.made_at },
      { order: order.id, ...one, state: 'queued', at: order.made_at },
    ]);
    t.false(await orders.insert({ ...order, why: 'another' }, [aTarget()]), 'the id is there');
    t.deepEqual(await orders.find(order.id), order);
    t.is((await targetsOf(orders, { order: order.id })).length, 2);
    t.deepEqual(await orders.pendingFor({ host_id: one.host_id, release: 0 }, AT), [{ ...order, queued: true }]);
    t.deepEqual(await pending(orders, aTarget().host_id), []);
  });

  test(`${kind}: orders are listed newest first, with what became of them`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const many = Array.from({ length: 25 }, (_, index) =>
      anOrder({ made_at: at(index), kind: index % 2 === 0 ? 'command' : 'patch' }),
    );
    const [one, other] = [aTarget(), aTarget()];
    for (const order of many) await orders.insert(order, [one, other]);
    await orders.report(one.host_id, anOrderReport(many[24]?.id ?? ''));
    const all = await listed(orders);
    t.deepEqual(ids(all), ids(many).reverse());
    t.like(all[0], { counts: { done: 1, queued: 1 } });
    t.deepEqual(ids(await listed(orders, { limit: 12 })), ids(many).reverse().slice(0, 12));
    t.deepEqual(await listed(orders, { limit: 0 }), []);
    const patches = await listed(orders, { kinds: ['patch', 'wipe'], limit: 3 });
    t.deepEqual(ids(patches), ids([many[23], many[21], many[19]].flatMap((order) => order ?? [])));
    t.deepEqual(await listed(orders, { kinds: [] }), []);
    const done = await targetsOf(orders, { states: ['done'] });
    t.deepEqual(ids(done.map(({ order }) => ({ id: order }))), [many[24]?.id]);
    t.is((await targetsOf(orders, { host_id: other.host_id })).length, 25);
    t.is((await targetsOf(orders, { host_id: one.host_id, states: ['queued', 'fetched'] })).length, 24);
    t.is((await targetsOf(orders, {})).length, 50);
  });

  test(`${kind}: a host is given its orders oldest first, until they are settled, cancelled or expired`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const host = aTarget();
    const [first, second, third, short] = [1, 2, 3, 4].map((minute) => anOrder({ made_at: at(minute) }));
    if (!first || !second || !third || !short) return t.fail();
    short.expires_at = AT;
    for (const order of [third, first, second, short]) await orders.insert(order, [host]);
    t.deepEqual(await pending(orders, host.host_id), ids([first, second, third]));
    t.deepEqual(await orders.queuedHosts(AT), [host]);
    t.deepEqual(await orders.markFetched(ids([first, second]), host, AT), ids([first, second]).sort());
    t.like(await targetsOf(orders, { order: first.id }), [{ state: 'fetched', at: AT }]);
    t.deepEqual(
      (await orders.pendingFor({ host_id: host.host_id, release: 0 }, AT)).map(({ queued }) => queued),
      [false, false, true],
    );
    t.is(await orders.report(host.host_id, anOrderReport(first.id, { state: 'failed' })), 'kept');
    t.deepEqual(await pending(orders, host.host_id), ids([second, third]));
    t.is(await orders.cancel(second.id, AT), 0, 'it has been fetched');
    t.is(await orders.cancel(third.id, AT), 1);
    t.is(await orders.cancel(third.id, after(1)), 0);
    t.is(await orders.cancel(v7(), AT), undefined);
    t.deepEqual((await orders.find(third.id))?.cancelled_at, AT, "the first one's time stays");
    t.deepEqual(await pending(orders, host.host_id), []);
    t.deepEqual(await orders.queuedHosts(AT), []);
    t.deepEqual(
      await orders.markFetched(ids([second, third]), host, AT),
      [second.id],
      'what was cancelled is not given',
    );
  });

  test(`${kind}: what a host reports is kept, its newest, and what it settled stays`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const [host, other] = [aTarget(), aTarget()];
    const order = anOrder();
    await orders.insert(order, [host, other]);
    const running = anOrderReport(order.id, { state: 'running', number: 2, at: at(5) });
    t.is(await orders.report(host.host_id, running), 'kept');
    t.is(await orders.report(host.host_id, running), 'before');
    t.is(await orders.report(host.host_id, anOrderReport(order.id, { state: 'waiting', number: 1 })), 'before');
    t.is(await orders.report(host.host_id, { ...running, number: 3, at: at(6) }), 'kept');
    t.deepEqual(await targetsOf(orders, { host_id: host.host_id }), [
      { order: order.id, ...host, state: 'running', at: at(5), report: { ...running, number: 3, at: at(6) } },
    ]);
    const done = anOrderReport(order.id, {
      number: 4,
      at: at(7),
      exit_status: 0,
      duration_ms: 12,
      signal: 'SIGTERM',
      reason: '$set',
      stdout: { text: 'ü\0\n$', bytes: 5, truncated: false },
      stderr: { base64: '/w==', bytes: 1e9, truncated: true },
      steps: ['one', '$two'],
    });
    t.is(await orders.report(host.host_id, done), 'kept');
    t.is(await orders.report(host.host_id, anOrderReport(order.id, { state: 'running', number: 5 })), 'before');
    t.deepEqual((await targetsOf(orders, { host_id: host.host_id }))[0]?.report, done);
    t.is(await orders.report(aTarget().host_id, done), 'unknown', 'not an order of theirs');
    t.is(await orders.report(host.host_id, anOrderReport(v7())), 'unknown');
    t.like(await targetsOf(orders, { host_id: other.host_id }), [{ state: 'queued', report: undefined }]);
  });

  test(`${kind}: what was cancelled or has expired becomes what the host says, for it was under way`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const [a, b, c] = [aTarget({ hostname: 'a' }), aTarget({ hostname: 'b' }), aTarget({ hostname: 'c' })];
    const [cancelled, expiring] = [anOrder(), anOrder({ expires_at: AT })];
    await orders.insert(cancelled, [a, b]);
    await orders.insert(expiring, [a, b, c]);
    await orders.markFetched([expiring.id], c, at(1));
    await orders.cancel(cancelled.id, at(1));
    t.is(await orders.expireOrders(new Date(AT.getTime() - 1)), 0);
    t.is(await orders.expireOrders(AT), 2);
    t.is(await orders.expireOrders(after(1)), 0);
    t.deepEqual(await statesOf(orders, expiring.id), { a: 'expired', b: 'expired', c: 'fetched' });
    t.deepEqual(await statesOf(orders, cancelled.id), { a: 'cancelled', b: 'cancelled' });
    await orders.report(a.host_id, anOrderReport(cancelled.id, { state: 'running' }));
    await orders.report(a.host_id, anOrderReport(expiring.id, { state: 'done' }));
    t.deepEqual(await statesOf(orders, expiring.id), { a: 'done', b: 'expired', c: 'fetched' });
    t.deepEqual(await statesOf(orders, cancelled.id), { a: 'running', b: 'cancelled' });
  });

  test(`${kind}: of releases a host is given the newest, by number, whether it was named or not`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const [named, late] = [aTarget({ hostname: 'named' }), aTarget({ hostname: 'late' })];
    const release = (number: number, changes: Partial<Order> = {}) =>
      anOrder({ kind: 'release', release: number, hosts: null, made_at: at(number), ...changes });
    t.is(await orders.newestRelease(), 0);
    const [one, two, three] = [release(1), release(2), release(3)];
    t.true(await orders.insert(one, [named]));
    t.true(await orders.insert(two, [named]));
    t.false(await orders.insert(release(2), [named, late]), 'the number is there');
    t.is((await targetsOf(orders, { host_id: named.host_id })).length, 2, 'nothing was changed');
    t.is(await orders.newestRelease(), 2);
    t.deepEqual(await pending(orders, named.host_id), [two.id]);
    t.deepEqual(await pending(orders, late.host_id, 1), [two.id]);
    t.deepEqual(await pending(orders, late.host_id, 2), []);
    t.deepEqual(await orders.markFetched([two.id], late, AT), [two.id]);
    t.deepEqual(await orders.markFetched([two.id], named, AT), [two.id]);
    t.deepEqual(await orders.queuedHosts(AT), [], 'what a newer one took the place of is no reason to come');
    t.deepEqual(await statesOf(orders, two.id), { late: 'fetched', named: 'fetched' });
    await orders.report(late.host_id, anOrderReport(two.id, { state: 'refused' }));
    t.deepEqual(await pending(orders, late.host_id), [], 'it has settled it');
    await orders.insert(three, [named, late]);
    t.deepEqual(await pending(orders, late.host_id), [three.id]);
    t.deepEqual((await orders.queuedHosts(AT)).map(({ hostname }) => hostname).sort(), ['late', 'named']);
    await orders.cancel(three.id, AT);
    t.is(await orders.newestRelease(), 2);
    t.deepEqual(await pending(orders, named.host_id, 1), [two.id]);
    t.deepEqual(await pending(orders, named.host_id, 1, two.expires_at), [], 'it has expired');
  });

  test(`${kind}: a further signature brings the order to those who have it already`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const [a, b, c] = ['a', 'b', 'c'].map((hostname) => aTarget({ hostname }));
    if (!a || !b || !c) return t.fail();
    const order = anOrder();
    await orders.insert(order, [a, b, c]);
    for (const host of [a, b, c]) await orders.markFetched([order.id], host, at(1));
    await orders.report(b.host_id, anOrderReport(order.id, { state: 'waiting' }));
    await orders.report(c.host_id, anOrderReport(order.id, { state: 'running' }));
    t.true(await orders.addSignature(order.id, 'second $', at(2)));
    t.deepEqual(await statesOf(orders, order.id), { a: 'queued', b: 'queued', c: 'running' });
    t.deepEqual((await orders.find(order.id))?.signatures, [...order.signatures, 'second $']);
    t.like(await orders.pendingFor({ host_id: b.host_id, release: 0 }, AT), [{ queued: true }]);
    t.true(await orders.addSignature(order.id, 'second $', at(3)));
    t.is((await orders.find(order.id))?.signatures.length, 2, 'harmless when repeated');
    for (let n = 2; n < MOST_SIGNATURES; n++) t.true(await orders.addSignature(order.id, `another ${n}`, at(4)));
    t.false(await orders.addSignature(order.id, 'one too many', at(4)));
    t.false(await orders.addSignature(v7(), 'x', at(4)));
    t.false(await orders.addSignature(order.id, 'x', order.expires_at));
    await orders.cancel(order.id, at(5));
    t.false(await orders.addSignature(order.id, 'x', at(6)));
    t.is((await orders.find(order.id))?.signatures.length, MOST_SIGNATURES);
  });

  test(`${kind}: who has an order, and was to get it with a further signature, has it also when it ends`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const [a, b, c] = ['a', 'b', 'c'].map((hostname) => aTarget({ hostname }));
    if (!a || !b || !c) return t.fail();
    const [cancelled, expiring] = [anOrder(), anOrder({ expires_at: AT })];
    for (const order of [cancelled, expiring]) {
      await orders.insert(order, [a, b, c]);
      await orders.markFetched([order.id], a, at(1));
      await orders.report(b.host_id, anOrderReport(order.id, { state: 'waiting' }));
      t.true(await orders.addSignature(order.id, 'second', at(2)));
      t.deepEqual(await statesOf(orders, order.id), { a: 'queued', b: 'queued', c: 'queued' });
    }
    t.is(await orders.cancel(cancelled.id, at(3)), 1);
    t.is(await orders.expireOrders(AT), 1);
    t.deepEqual(await statesOf(orders, cancelled.id), { a: 'fetched', b: 'fetched', c: 'cancelled' });
    t.deepEqual(await statesOf(orders, expiring.id), { a: 'fetched', b: 'fetched', c: 'expired' });
    t.deepEqual(await pending(orders, a.host_id), []);
  });

  test(`${kind}: an order for a thousand hosts is queued for each`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const hosts = Array.from({ length: 1000 }, (_, index) =>
      aTarget({ hostname: `h${String(index).padStart(4, '0')}` }),
    );
    const order = anOrder({ hosts: 1000 });
    t.true(await orders.insert(order, hosts));
    t.deepEqual(
      (await targetsOf(orders, { order: order.id })).map(({ hostname }) => hostname),
      hosts.map(({ hostname }) => hostname),
    );
    t.is((await orders.queuedHosts(AT)).length, 1000);
    t.like(await listed(orders), [{ counts: { queued: 1000 } }]);
    t.is(await orders.cancel(order.id, AT), 1000);
  });

  test(`${kind}: statements about keys are kept by number, which never goes back`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const document = { statement: { number: 1, $odd: { 'a.b': null } }, signature: 'x\n' };
    t.deepEqual(await orders.statements('order-key', 0), []);
    t.true(await orders.putStatement({ kind: 'order-key', number: 1, document }));
    t.true(await orders.putStatement({ kind: 'order-key', number: 3, document: { n: 3 } }));
    t.false(await orders.putStatement({ kind: 'order-key', number: 3, document: {} }));
    t.false(await orders.putStatement({ kind: 'order-key', number: 2, document: {} }));
    t.true(await orders.putStatement({ kind: 'revocations', number: 2, document }));
    t.deepEqual(await orders.statements('order-key', 0), [
      { kind: 'order-key', number: 1, document },
      { kind: 'order-key', number: 3, document: { n: 3 } },
    ]);
    t.deepEqual(await orders.statements('order-key', 1), [{ kind: 'order-key', number: 3, document: { n: 3 } }]);
    t.deepEqual(await orders.statements('revocations', 2), []);
  });

  test(`${kind}: the head of a chain of receipts moves from where it is, and nowhere else`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const { host_id } = aTarget();
    const head = (number: number, hash = 'a') => ({ number, hash: hash.repeat(64) });
    t.is(await orders.receipts(host_id), undefined);
    t.true(await orders.moveReceipts(host_id, null, head(3)));
    t.false(await orders.moveReceipts(host_id, null, head(3)));
    t.false(await orders.moveReceipts(host_id, head(3, 'b'), head(4)));
    t.false(await orders.moveReceipts(host_id, head(2), head(4)));
    t.true(await orders.moveReceipts(host_id, head(3), head(4, 'c')));
    t.deepEqual(await orders.receipts(host_id), head(4, 'c'));
    await orders.breakReceipts(host_id, AT);
    await orders.breakReceipts(host_id, after(1));
    t.deepEqual(await orders.receipts(host_id), { ...head(4, 'c'), broken_at: AT }, 'the first time stays');
    await orders.breakReceipts(host_id, null);
    t.deepEqual(await orders.receipts(host_id), head(4, 'c'));
    const other = aTarget();
    await orders.breakReceipts(other.host_id, AT);
    t.deepEqual(await orders.receipts(other.host_id), { ...head(0, '0'), broken_at: AT });
    t.true(await orders.moveReceipts(other.host_id, null, head(1)));
    t.deepEqual(await orders.receipts(other.host_id), { ...head(1), broken_at: AT });
  });
});
