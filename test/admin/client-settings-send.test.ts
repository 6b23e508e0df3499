import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { holdLock, type OrdersSite, ordersSite } from './orders-site.ts';

/** What each order wants of whom, in the order in which they were made. */
const sent = async (site: OrdersSite) =>
  (await site.orders()).map(({ manifest, targets }) => [
    manifest.kind === 'settings' ? manifest.wanted : manifest.kind,
    targets.map(({ hostname }) => hostname),
  ]);

test('to want something orders it of all hosts, each with all that is wanted of it, once', async (t) => {
  const site = await ordersSite(t, { v1: ['old-1'] });
  const out = await site.ok('client-settings', 'set', 'collect_interval', '30m', '--why', 'slow disks');
  t.regex(out, /client-settings\.yml is changed\norder \S+ is for desk-1, lap-17, lap-18 to fetch/);
  t.like((await site.orders())[0], { order: { why: 'slow disks' } });
  await site.ok('client-settings', 'set', 'collectors.disabled', '[session]', '--host', 'lap-17');
  t.regex(
    await site.ok('client-settings', 'set', 'collect_interval', '30m'),
    /says so already\nno host has to be told/,
  );
  await site.ok('client-settings', 'set', 'submit_interval', '5m');
  const all = { collect_interval: '30m', submit_interval: '5m' };
  t.deepEqual(await sent(site), [
    [{ collect_interval: '30m' }, ['desk-1', 'lap-17', 'lap-18']],
    [{ collect_interval: '30m', collectors: { disabled: ['session'] } }, ['lap-17']],
    [all, ['desk-1', 'lap-18']],
    [{ ...all, collectors: { disabled: ['session'] } }, ['lap-17']],
  ]);
});

test('to want nothing any more orders that, of hosts that were told something', async (t) => {
  const site = await ordersSite(t);
  await site.ok('client-settings', 'set', 'submit_interval', '5m', '--host', 'lap-17');
  t.like(await site.json('client-settings', 'unset', 'submit_interval', '--host', 'lap-17'), {
    changed: true,
    orders: [{ hosts: ['lap-17'] }],
  });
  t.deepEqual(await sent(site), [
    [{ submit_interval: '5m' }, ['lap-17']],
    [{}, ['lap-17']],
  ]);
  t.deepEqual(await site.json('client-settings', 'send'), { orders: [] });
});

test('send tells hosts that enrolled since, or did not take it; --again those of a list', async (t) => {
  const site = await ordersSite(t);
  await site.ok('client-settings', 'set', 'submit_interval', '5m', '--no-send');
  t.deepEqual(await sent(site), []);
  t.regex(await site.ok('client-settings', 'send'), /is for desk-1, lap-17, lap-18 to fetch/);
  t.regex(await site.ok('client-settings', 'send'), /every host was told what is wanted of it/);
  const order = (await site.only(t)).order.id;
  await site.reports('lap-17', { order, state: 'refused', reason: 'so' });
  await site.reports('lap-18', { order, state: 'done' });
  t.like(await site.json('client-settings', 'send'), { orders: [{ hosts: ['lap-17'] }] });
  t.like(await site.json('client-settings', 'send', '--host', 'lap-18', '--again'), {
    orders: [{ hosts: ['lap-18'] }],
  });
  t.regex(await site.refused(t, 'client-settings', 'send', '--again'), /expected --host with --again/);
  t.regex(await site.refused(t, 'client-settings', 'send', '--host', 'nobody'), /cannot find a host named nobody/);
});

test('of two who order settings at once, one waits for the other: hosts are told last what is wanted last', async (t) => {
  const site = await ordersSite(t);
  const lock = await holdLock(site);
  const running = site.ok('client-settings', 'set', 'submit_interval', '5m');
  await lock.waiting(1);
  t.deepEqual(await sent(site), []);
  await site.ok('client-settings', 'set', 'submit_interval', '7m', '--no-send');
  await lock.release();
  await running;
  t.deepEqual(await sent(site), [[{ submit_interval: '7m' }, ['desk-1', 'lap-17', 'lap-18']]]);
});

test('the list tells what is under way', async (t) => {
  const site = await ordersSite(t);
  await site.ok('client-settings', 'set', 'submit_interval', '5m', '--host', 'lap-17');
  const { order } = await site.only(t);
  t.like(await site.json('client-settings', 'list', '--host', 'lap-17'), {
    compared: [{ hostname: 'lap-17', state: 'not-reported', order: { id: order.id, state: 'queued' } }],
  });
  t.regex(await site.ok('client-settings', 'list'), new RegExp(`lap-17 +does not report +- +queued \\(${order.id}\\)`));
  await site.reports('lap-17', { order: order.id, state: 'done' });
  t.regex(await site.ok('client-settings', 'list'), /lap-17 .* done \(/);
});

test('what cannot be ordered now stays written down, and says so', async (t) => {
  const site = await ordersSite(t);
  await rm(join(site.folder, 'keys/order.asc'));
  const { status, err } = await site.run('client-settings', 'set', 'submit_interval', '5m');
  t.is(status, 3);
  t.regex(
    err,
    /order\.asc: it does not exist.*; what is wanted is written down in .*client-settings\.yml, and penguindome client-settings send orders it/,
  );
  t.like(await site.json('client-settings', 'list'), { all: { submit_interval: '5m' } });
  await writeFile(join(site.folder, 'client-settings.yml'), 'all: {url: x}\n');
  t.regex(await site.refused(t, 'client-settings', 'send'), /expected a known key/);
});
