import { chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { days, hours } from '../../../src/core/duration.ts';
import { whenPresent } from '../../support/needs.ts';
import { realRandom } from '../../support/world.ts';
import { acceptedOrder, targets } from '../support/accepted-order.ts';
import { at, keyOf, NOW, orderHost, rotation, settingsOrder, settle, sha256, wipeOrder } from '../support/orders.ts';

test('what a server that signs nothing sends day after day makes no list longer and longer', async (t) => {
  const host = await orderHost(t);
  for (let run = 0; run < 3; run++) {
    for (let i = 0; i < 400; i++) {
      await writeFile(`${host.places.inbox}/${realRandom.uuid()}.json`, `junk ${run} ${i}`);
    }
    await host.apply();
  }
  const seen = JSON.parse(await readFile(host.places.orders.seen, 'utf8'));
  t.true(Object.keys(seen.refused).length <= 1000, `${Object.keys(seen.refused).length} are kept`);
});

test('a clock that went ahead for a while brings no order back', async (t) => {
  const host = await orderHost(t);
  host.act = settle;
  const manifest = settingsOrder();
  const id = await host.order(manifest);
  t.deepEqual((await host.apply()).accepted, [id]);
  host.now = new Date(NOW.getTime() + days(400));
  await host.apply();
  host.now = new Date(NOW.getTime() + hours(1));
  await host.order(manifest);
  t.deepEqual((await host.apply()).accepted, []);
  t.deepEqual(host.acted, [id]);
});

test('a chain of orders, each a day ahead of the one before, does not end the others', async (t) => {
  const host = await orderHost(t);
  host.act = settle;
  for (let day = 1; day <= 5; day++) {
    await host.order(settingsOrder({ made_at: at(days(day)), expires_at: at(days(day + 9)) }));
    await host.apply();
  }
  const good = await host.order(settingsOrder({ made_at: at(0), expires_at: at(days(3)) }));
  t.deepEqual((await host.apply()).accepted, [good]);
});

test('a rotation that nobody vouches for counts no number up', async (t) => {
  const host = await orderHost(t, { firstKey: false });
  const forged = await rotation(1_000_000, 'thief', 'server');
  await host.heard({ first_order_key: (await keyOf('thief')).publicKey, order_keys: [forged] });
  await host.apply();
  await host.heard({ order_keys: [await rotation(3, 'server', 'next')] });
  await host.apply();
  const id = await host.order(settingsOrder(), 'next');
  t.deepEqual((await host.apply()).accepted, [id]);
  t.is((await host.known())['order_key'], 3);
});

test('a chain of keys, each a day ahead of the one before, does not end the orders', async (t) => {
  const host = await orderHost(t);
  const names = ['server', 'key 1', 'key 2', 'key 3', 'key 4'];
  const chain = names.slice(1).map((name, index) => {
    return rotation(index + 1, names[index] ?? '', name, { made_at: at(days(index + 1)) });
  });
  await host.heard({ first_order_key: (await keyOf('server')).publicKey, order_keys: await Promise.all(chain) });
  const id = await host.order(settingsOrder({ expires_at: at(days(3)) }), 'key 4');
  t.deepEqual((await host.apply()).accepted, [id]);
  t.is((await host.known())['order_key'], 4);
});

test('the number of a pinned key that is not the first one is not told as known', async (t) => {
  const host = await orderHost(t, { firstKey: false });
  const told = { order_keys: [await rotation(7, 'zeroth', 'server')] };
  await host.heard(told);
  await host.apply();
  const { order_key, has_order_key, heard_keys } = await host.known();
  t.deepEqual({ order_key, has_order_key }, { order_key: 0, has_order_key: true });
  t.is(heard_keys, sha256(JSON.stringify(told)), 'so the same comes again, and need not be looked at');
  await host.heard({ order_keys: [await rotation(9, 'stranger', 'next')] });
  await host.apply();
  t.is((await host.known())['heard_keys'], null, 'what was refused may count later');
});

test('an order that cannot be taken keeps no other one from being taken and carried out', async (t) => {
  const host = await orderHost(t);
  const early = settingsOrder({ not_before: at(hours(1)) });
  await host.order(early);
  const open = await host.order(settingsOrder());
  await host.apply();
  t.deepEqual(host.acted, [open]);
  await writeFile(join(host.places.orders.root, early.id, 'judged.json'), '{');
  await host.order(early);
  const other = await host.order(settingsOrder());
  const { accepted, broken } = await host.apply();
  t.deepEqual(accepted, [other]);
  t.true(broken.some(({ order }) => order === early.id));
  t.deepEqual(host.acted, [open, open, other]);
});

test('two keys of one operator, and two keys that the server had, are one signature each', async (t) => {
  const host = await orderHost(t);
  await host.policy('second_approval: [wipe]\n');
  await host.operator('bob');
  const both = [(await keyOf('bob')).publicKey, (await keyOf('his other')).publicKey].join('\n');
  await writeFile(join(host.places.operators, 'bob.asc'), both);
  await host.apply();
  await host.heard({ order_keys: [await rotation(1, 'server', 'second')] });
  for (const signers of [
    ['bob', 'his other'],
    ['server', 'second'],
  ]) {
    const id = await host.order(wipeOrder({ made_at: at(-60_000) }), ...signers);
    const { accepted, waiting } = await host.apply();
    t.deepEqual(accepted, []);
    t.true(
      waiting.some(({ order }) => order === id),
      signers.join(),
    );
  }
});

whenPresent(process.geteuid?.() === 0, 'another user’s folder: only root can make one')(
  'what lies in another user’s folder is nothing to act on as root',
  async (t) => {
    const host = await orderHost(t);
    await host.apply();
    const { folder } = await acceptedOrder(
      host.places,
      { kind: 'command', timeout: 60, ...targets },
      { 'commands/x': 'x' },
    );
    await writeFile(
      join(folder, 'judged.json'),
      JSON.stringify({ state: 'accepted', signed_by: 'nobody', recorded: true }),
    );
    await chown(host.places.state, 12_345, 12_345);
    await t.throwsAsync(host.apply(), { message: /cannot apply orders: .* belongs to user 12345/ });
    t.deepEqual(host.acted, []);
  },
);
