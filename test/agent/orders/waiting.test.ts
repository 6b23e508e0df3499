import { rm } from 'node:fs/promises';
import test from 'ava';
import { days, hours } from '../../../src/core/duration.ts';
import type { OrderDocument } from '../../../src/wire/v2/order.ts';
import {
  at,
  NOW,
  orderHost,
  revocations,
  rotation,
  settingsOrder,
  settle,
  sign,
  wipeOrder,
} from '../support/orders.ts';

const TWO = 'second_approval: [wipe]\n';

test('an order waits for its time, over runs of the agent, and counts then', async (t) => {
  const host = await orderHost(t);
  const id = await host.order(settingsOrder({ not_before: at(hours(2)) }));
  t.regex((await host.apply()).waiting[0]?.reason ?? '', /it counts from 2026-06-01T14:00:00.000Z on/);
  t.is((await host.report(id))?.state, 'waiting');
  t.deepEqual((await host.known())['open'], [id]);
  t.deepEqual((await host.known())['held'], [id]);
  await host.apply();
  host.now = new Date(NOW.getTime() + hours(3));
  t.deepEqual((await host.apply()).accepted, [id]);
  t.deepEqual(host.acted, [id]);
  t.deepEqual(
    (await host.receipts()).map(({ event }) => event),
    ['waiting', 'accepted'],
  );
});

test('an order that expires while it waits is refused', async (t) => {
  const host = await orderHost(t);
  const id = await host.order(settingsOrder({ not_before: at(hours(2)), expires_at: at(hours(3)) }));
  await host.apply();
  host.now = new Date(NOW.getTime() + hours(4));
  t.is((await host.apply()).refused[0]?.order, id);
  t.is((await host.report(id))?.state, 'refused');
  t.deepEqual(host.acted, []);
});

test('an order whose key is revoked while it waits is refused', async (t) => {
  const host = await orderHost(t);
  const id = await host.order(settingsOrder({ not_before: at(hours(2)) }));
  await host.apply();
  await host.heard({ revocations: await revocations(1, 'server', [['order', 'server']]) });
  host.now = new Date(NOW.getTime() + hours(3));
  t.deepEqual(
    (await host.apply()).refused.map(({ order }) => order),
    [id],
  );
  t.deepEqual(host.acted, []);
});

test('an order that was made in the future waits until this host knows that time', async (t) => {
  const host = await orderHost(t);
  const id = await host.order(settingsOrder({ made_at: at(days(10)), expires_at: at(days(20)) }));
  t.regex((await host.apply()).waiting[0]?.reason ?? '', /has not come yet by this host's clock/);
  host.now = new Date(NOW.getTime() + days(10));
  t.deepEqual((await host.apply()).accepted, [id]);
});

test('one signer whose clock is ahead does not end the orders of the others', async (t) => {
  const host = await orderHost(t);
  host.act = settle;
  await host.order(settingsOrder({ made_at: at(hours(20)), expires_at: at(days(20)) }));
  await host.apply();
  const id = await host.order(settingsOrder({ expires_at: at(days(2)) }));
  t.deepEqual((await host.apply()).accepted, [id]);
});

test('where two have to approve, the first signature waits for the second, which comes with the order again', async (t) => {
  const host = await orderHost(t);
  await host.policy(TWO);
  await host.operator('bob', 'carol');
  const manifest = wipeOrder();
  await host.order(manifest, 'server');
  t.regex((await host.apply()).waiting[0]?.reason ?? '', /it waits for an operator's signature: the server alone/);
  t.deepEqual((await host.known())['held'], [], 'the server is to send it again');
  const alone = await sign(manifest, 'server', 'server', 'stranger');
  await host.put(alone, manifest.id);
  t.is((await host.apply()).waiting.length, 1, 'twice the same signer is one, and a stranger none');
  await host.order(manifest, 'server', 'bob');
  t.deepEqual((await host.apply()).accepted, [manifest.id]);
  const receipts = await host.receipts();
  t.deepEqual(
    receipts.map(({ event }) => event),
    ['waiting', 'accepted'],
  );
  t.is(receipts[1]?.detail, 'signed by the server, the operator bob');
});

test("where operators alone may order, the server's signature is no second one", async (t) => {
  const host = await orderHost(t);
  await host.policy(`command_authorization: operator\n${TWO}`);
  await host.operator('bob', 'carol');
  const manifest = wipeOrder();
  await host.order(manifest, 'server', 'bob');
  t.regex((await host.apply()).waiting[0]?.reason ?? '', /another operator's signature: the operator bob alone/);
  await host.order(manifest, 'bob', 'carol');
  t.deepEqual((await host.apply()).accepted, [manifest.id]);
});

test('a kind that needs no second approval does not wait for one', async (t) => {
  const host = await orderHost(t);
  await host.policy(TWO);
  const id = await host.order(settingsOrder());
  t.deepEqual((await host.apply()).accepted, [id]);
});

test('useless signatures neither replace good ones nor keep them out', async (t) => {
  const host = await orderHost(t);
  await host.policy(TWO);
  await host.operator('bob');
  const manifest = wipeOrder();
  const good = await sign(manifest, 'server');
  await host.put(good, manifest.id);
  await host.apply();
  const junk: OrderDocument = await sign(manifest, ...Array.from({ length: 8 }, () => 'stranger'));
  await host.put(junk, manifest.id);
  t.is((await host.apply()).waiting.length, 1);
  await host.order(manifest, 'server', 'bob');
  t.deepEqual((await host.apply()).accepted, [manifest.id]);
});

test("with an operator's own signature an order counts where operators alone may order", async (t) => {
  const host = await orderHost(t);
  await host.policy('command_authorization: operator\n');
  await host.operator('bob');
  const id = await host.order(settingsOrder(), 'bob');
  t.deepEqual((await host.apply()).accepted, [id]);
});

test('an order that was cut off before its acceptance was recorded is taken up', async (t) => {
  const host = await orderHost(t);
  host.act = settle;
  const manifest = settingsOrder();
  await host.order(manifest);
  host.act = async () => {
    throw new Error('cut off');
  };
  t.is((await host.apply()).broken[0]?.reason, 'cut off');
  // As if the crash had come before the id was written down.
  await rm(host.places.orders.seen);
  await host.order(manifest);
  host.act = settle;
  await host.apply();
  t.deepEqual(await host.inbox(), []);
  t.deepEqual(
    (await host.receipts()).map(({ event }) => event),
    ['accepted', 'done'],
  );
  await host.order(manifest);
  t.regex((await host.apply()).refused[0]?.reason ?? '', /seen it before/);
});

test('what a settled order left goes, what failed stays until it expires', async (t) => {
  const host = await orderHost(t);
  host.act = settle;
  await host.order(settingsOrder());
  await host.apply();
  const id = await host.order(settingsOrder());
  host.act = async ({ manifest }, { results }) => {
    await results.report(manifest.id, { state: 'failed', reason: 'it did not work' });
  };
  await host.apply();
  const folders = async () => (await import('node:fs/promises')).readdir(host.places.orders.root);
  t.deepEqual(
    (await folders()).filter((name) => !/^\.|seen/.test(name)),
    [id],
  );
  host.now = new Date(NOW.getTime() + days(31));
  await host.apply();
  t.deepEqual(
    (await folders()).filter((name) => !/^\.|seen/.test(name)),
    [],
  );
});

test('the order key is replaced by what it signs, and orders that it had signed before still count', async (t) => {
  const host = await orderHost(t);
  const before = settingsOrder({ made_at: at(-hours(1)) });
  await host.apply();
  await host.heard({ order_keys: [await rotation(1, 'server', 'second')] });
  await host.order(before, 'server');
  const after = await host.order(settingsOrder(), 'second');
  t.deepEqual((await host.apply()).accepted.sort(), [before.id, after].sort());
  t.is((await host.known())['order_key'], 1);
  await host.order(settingsOrder({ made_at: at(0) }), 'server');
  t.regex((await host.apply()).refused[0]?.reason ?? '', /order key that had been replaced before it was made/);
});

test('keys that do not follow are refused and said, and change nothing', async (t) => {
  const host = await orderHost(t);
  await host.apply();
  await host.heard({ order_keys: [await rotation(1, 'stranger', 'second')] });
  await host.apply();
  const { refused_keys, order_key } = await host.known();
  t.regex(JSON.stringify(refused_keys), /the order keys fork/);
  t.is(order_key, 0);
  t.deepEqual((await host.apply()).accepted, []);
});

test('a list of revocations never goes back', async (t) => {
  const host = await orderHost(t);
  await host.operator('bob');
  await host.apply();
  await host.heard({ revocations: await revocations(2, 'server', [['operator', 'bob']]) });
  await host.apply();
  await host.heard({ revocations: await revocations(1, 'server', []) });
  await host.apply();
  t.regex(JSON.stringify((await host.known())['refused_keys']), /goes back/);
  await host.order(settingsOrder(), 'bob');
  t.regex((await host.apply()).refused[0]?.reason ?? '', /revoked/);
});

test('a first key that enrolment did not pin is none', async (t) => {
  const host = await orderHost(t, { firstKey: false });
  const { keyOf } = await import('../support/orders.ts');
  await host.heard({ first_order_key: (await keyOf('stranger')).publicKey });
  await host.order(settingsOrder(), 'stranger');
  t.deepEqual((await host.apply()).accepted, []);
  t.regex(JSON.stringify((await host.known())['refused_keys']), /was enrolled with did not come/);
});

test('a host enrolled after a rotation finds the pinned key among those that took over', async (t) => {
  const host = await orderHost(t, { firstKey: false });
  const { keyOf } = await import('../support/orders.ts');
  await host.heard({
    first_order_key: (await keyOf('zeroth')).publicKey,
    order_keys: [await rotation(1, 'zeroth', 'server'), await rotation(2, 'server', 'second')],
  });
  const id = await host.order(settingsOrder(), 'second');
  t.deepEqual((await host.apply()).accepted, [id]);
  t.is((await host.known())['order_key'], 2);
});

test('with operators alone a key of the server is replaced only with an operator', async (t) => {
  const host = await orderHost(t);
  await host.policy('command_authorization: operator\n');
  await host.operator('bob');
  await host.apply();
  await host.heard({ order_keys: [await rotation(1, 'server', 'second')] });
  await host.apply();
  t.is((await host.known())['order_key'], 0);
  await host.heard({ order_keys: [await rotation(1, 'server', 'second', {}, 'bob')] });
  await host.apply();
  t.is((await host.known())['order_key'], 1);
});
