import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { generateKey } from 'openpgp';
import { canonicalJson } from '../../src/wire/v2/digest.ts';
import { signDetached } from '../support/openpgp.ts';
import { type OrdersSite, ordersSite } from './orders-site.ts';

const order = async (site: OrdersSite, ...args: string[]): Promise<string> => {
  const made = await site.json(...args);
  return String(Reflect.get(Object(made), 'order'));
};

test('the list tells kind, who, why and how far it is, newest first', async (t) => {
  const site = await ordersSite(t);
  const first = await order(site, 'command', 'true', '--host', 'lap-*', '--yes', '--why', 'to see');
  const second = await order(site, 'unlock', 'lap-17');
  await site.reports('lap-17', { order: first, state: 'done', exit_status: 0 });
  await site.reports('lap-18', { order: first, state: 'failed', exit_status: 1 });
  t.like((await site.json('orders', 'list')) as object, [
    { id: second, kind: 'unlock', hosts: 1, signatures: 1, open: true, counts: { queued: 1 } },
    { id: first, kind: 'command', hosts: 2, files: 1, open: false, counts: { done: 1, failed: 1 }, why: 'to see' },
  ]);
  const out = await site.ok('orders', 'list');
  t.regex(out, new RegExp(`${first} +command +.* +2 +1 done, 1 failed +to see`));
  t.like((await site.json('orders', 'list', '--open')) as object, [{ id: second }]);
  t.like((await site.json('orders', 'list', '--kind', 'command')) as object, [{ id: first }]);
  t.is(((await site.json('orders', 'list', '--limit', '1')) as unknown[]).length, 1);
});

test('an order is shown by the beginning of its id: what was signed, and what hosts said', async (t) => {
  const site = await ordersSite(t);
  const id = await order(site, 'command', 'id', '--host', 'lap-*', '--yes');
  await site.reports('lap-17', {
    order: id,
    state: 'done',
    exit_status: 0,
    steps: ['ran it'],
    stdout: { text: 'uid=0\u001b[2J\n', bytes: 10, truncated: false },
  });
  const out = await site.ok('orders', 'show', id);
  t.regex(out, /kind +command\n/);
  t.regex(out, /file +commands\/shell \(mode 0700, 13 bytes, SHA-256 [0-9a-f]{64}\)/);
  t.regex(out, /lap-17 +done: exit status 0/);
  t.false(out.includes('uid=0'), 'several hosts: a table');
  const one = await site.ok('orders', 'show', id, '--host', 'LAP-17');
  t.regex(one, /- ran it\nstdout:\n {2}uid=0/);
  t.false(one.includes('\u001b'));
  t.like(await site.json('orders', 'show', id), {
    id,
    manifest: { kind: 'command', timeout: 3600 },
    targets: [
      { hostname: 'lap-17', report: { stdout: { bytes: 10 } } },
      { hostname: 'lap-18', state: 'queued' },
    ],
  });
  t.regex(await site.refused(t, 'orders', 'show', id, '--host', 'desk-1'), /cannot find desk-1 among the hosts/);
  t.regex(await site.refused(t, 'orders', 'show', 'ffff'), /cannot find an order ffff/);
  t.regex(await site.refused(t, 'orders', 'show', ''), /cannot find an order ""/);
  await order(site, 'unlock', 'lap-17');
  t.regex(await site.refused(t, 'orders', 'show', id.slice(0, 4)), /cannot tell which order is meant/);
});

test('what orders show prints as JSON is, with its names in order, the text that was signed', async (t) => {
  const site = await ordersSite(t);
  const id = await order(site, 'command', 'echo é "\\', '--host', 'lap-*', '--yes', '--why', 'Grüße "x" \\ 😀');
  const { manifest } = Object(await site.json('orders', 'show', id));
  t.is(canonicalJson(manifest), (await site.only(t)).order.manifest);
});

test('that a command failed by its exit status is said once', async (t) => {
  const site = await ordersSite(t);
  const id = await order(site, 'command', 'exit 3', '--host', 'lap-17');
  await site.reports('lap-17', { order: id, state: 'failed', exit_status: 3, reason: 'exit status 3' });
  t.regex(await site.ok('orders', 'show', id), /lap-17 +failed: exit status 3 {2}/);
});

test('what nobody fetched in time is shown as expired, before the server has tidied its store', async (t) => {
  const site = await ordersSite(t);
  const id = await order(site, 'command', 'true', '--host', 'lap-17', '--expires', '1s');
  await sleep(1_001);
  t.regex(await site.ok('orders', 'list'), / 1 expired /);
  t.regex(await site.ok('orders', 'show', id), /lap-17 +expired /);
  t.regex(await site.ok('hosts', 'show', 'lap-17'), new RegExp(`${id} +command +expired `));
  t.deepEqual(await site.json('orders', 'list', '--open'), []);
});

test('cancelling says who had fetched it, asks, and does nothing twice', async (t) => {
  const site = await ordersSite(t);
  const id = await order(site, 'command', 'id', '--host', 'lap-*', '--yes');
  await site.reports('lap-17', { order: id, state: 'running' });
  t.regex(await site.refused(t, 'orders', 'cancel', id), /cannot ask .*--yes/);
  t.deepEqual(await site.json('orders', 'cancel', id, '--yes'), { order: id, cancelled: 1, fetched: ['lap-17'] });
  const [stored] = await site.orders();
  t.deepEqual(
    stored?.targets.map(({ state }) => state),
    ['running', 'cancelled'],
  );
  t.regex(await site.refused(t, 'orders', 'cancel', id, '--yes'), /it is cancelled already/);
  t.regex(await site.ok('orders', 'list'), / 1 running, 1 cancelled +-\n/);
});

test('who has an order and is to fetch it anew, for a further signature, is told of as having it', async (t) => {
  const site = await ordersSite(t);
  const id = await order(site, 'command', 'id', '--host', '*', '--not-before', '1h', '--yes');
  await site.reports('lap-17', { order: id, state: 'waiting' });
  const host = await site.db.hosts.find('lap-18');
  const host_id = host?.identity?.host_id ?? t.fail();
  await site.db.orders.markFetched([id], { host_id, hostname: 'lap-18' }, new Date());
  await site.ok('keys', 'rotate', 'orders', '--resign', '--yes');
  const cancelled = await site.json('orders', 'cancel', id, '--yes');
  t.deepEqual(cancelled, { order: id, cancelled: 1, fetched: ['lap-17', 'lap-18'] });
  const [stored] = await site.orders();
  t.deepEqual(
    stored?.targets.map(({ hostname, state }) => [hostname, state]),
    [
      ['desk-1', 'cancelled'],
      ['lap-17', 'fetched'],
      ['lap-18', 'fetched'],
    ],
  );
});

test('hosts show lists the orders of a host', async (t) => {
  const site = await ordersSite(t);
  t.false(Object.hasOwn(Object(await site.json('hosts', 'show', 'lap-17')), 'orders'));
  const id = await order(site, 'command', 'id', '--host', 'lap-17');
  t.like(await site.json('hosts', 'show', 'lap-17'), { orders: [{ order: id, kind: 'command', state: 'queued' }] });
  t.regex(await site.ok('hosts', 'show', 'lap-17'), new RegExp(`${id} +command +queued`));
});

test('hosts show says since when the receipts of a host do not fit', async (t) => {
  const site = await ordersSite(t);
  await order(site, 'command', 'id', '--host', 'lap-17');
  const [target] = (await site.only(t)).targets;
  const { host_id } = target ?? t.fail();
  const head = { number: 7, hash: 'a'.repeat(64) };
  await site.db.orders.moveReceipts(host_id, null, head);
  t.regex(await site.ok('hosts', 'show', 'lap-17'), /^receipts +7$/m);
  await site.db.orders.breakReceipts(host_id, new Date('2026-11-23T12:00:00Z'));
  t.regex(
    await site.ok('hosts', 'show', 'lap-17'),
    /^receipts +7; since 2026-11-23.* they do not fit what came before$/m,
  );
  t.like(await site.json('hosts', 'show', 'lap-17'), { receipts: { ...head, broken_at: '2026-11-23T12:00:00.000Z' } });
});

test('verify tells whose signatures there are, and finds what was changed in the store', async (t) => {
  const site = await ordersSite(t);
  const id = await order(site, 'command', 'id', '--host', 'lap-17');
  const { order: stored } = await site.only(t);
  t.like(await site.json('orders', 'verify', id), { ok: true, faults: [], signatures: [{ whose: 'order key 0' }] });
  const ann = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'Ann' }] });
  await site.db.orders.addSignature(id, await signDetached(ann.privateKey, stored.manifest), new Date());
  const unknown = await site.run('orders', 'verify', id, '--json');
  t.is(unknown.status, 1);
  t.like(JSON.parse(unknown.out), {
    ok: false,
    signatures: [{ whose: 'order key 0' }, { fault: 'its key is not known here; say --key FILE' }],
  });
  const key = await site.file('ann.asc', ann.publicKey);
  t.like(await site.json('orders', 'verify', id, '--key', key), {
    ok: true,
    signatures: [{ whose: 'order key 0' }, { whose: 'Ann' }],
  });
  t.regex(
    await site.refused(t, 'orders', 'verify', id, '--key', site.config),
    /cannot use --key .*: cannot find an armored/,
  );
  await site.db.orders.addSignature(id, await signDetached(ann.privateKey, `${stored.manifest} `), new Date());
  const forged = await site.run('orders', 'verify', id, '--key', key);
  t.is(forged.status, 1);
  t.regex(forged.err, /cannot vouch for the order/);
});

test('verify finds each column that says something else than what was signed, and hosts that were left out', async (t) => {
  const site = await ordersSite(t);
  await order(site, 'command', 'id', '--host', 'lap-*', '--not-before', '1h', '--yes');
  const { order: stored, targets } = await site.only(t);
  let number = 0;
  const faultsOf = async (changes: object, hosts = targets) => {
    const id = stored.id.replace(/^.{8}/, `fffffff${++number}`);
    const manifest = stored.manifest.replace(stored.id, id);
    t.true(await site.db.orders.insert({ ...stored, id, manifest, ...changes }, hosts));
    const { out } = await site.run('orders', 'verify', id, '--json');
    return (JSON.parse(out) as { faults: string[] }).faults;
  };
  t.deepEqual(await faultsOf({}), []);
  const later = new Date(stored.made_at.getTime() + 1);
  for (const changes of [{ files: [] }, { hosts: 3 }, { made_at: later }, { not_before: later }, { kind: 'patch' }]) {
    t.deepEqual(
      await faultsOf(changes),
      ['the store says something else of it than what was signed'],
      JSON.stringify(changes),
    );
  }
  t.deepEqual(await faultsOf({}, targets.slice(1)), ['the store does not give it to lap-17']);
  const other = { host_id: '0199f3c2-0000-7000-8000-000000000000' as never, hostname: 'desk-9' };
  t.deepEqual(await faultsOf({}, [...targets, { ...other, order: '', state: 'queued', at: later }]), [
    'the store gives it to desk-9, which it does not name',
  ]);
});

test('what somebody wrote into the store instead of an order is not taken for one', async (t) => {
  const site = await ordersSite(t);
  await order(site, 'command', 'id', '--host', 'lap-17');
  const { order: stored, targets } = await site.only(t);
  const id = stored.id.replace(/^.{8}/, 'ffffffff');
  await site.db.orders.insert({ ...stored, id, kind: 'wipe' }, targets);
  for (const verb of ['show', 'verify']) {
    t.regex(await site.refused(t, 'orders', verb, id), /what was signed is the order .*; somebody changed the store/);
  }
  await writeFile(join(site.folder, 'keys/order-public.asc'), 'no key');
  t.regex(await site.refused(t, 'orders', 'verify', stored.id), /cannot use .*order-public\.asc/);
});
