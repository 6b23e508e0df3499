import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { HostId } from '../../../src/core/host.ts';
import type { Manifest } from '../../../src/wire/v2/order.ts';
import { FILES, RESULTS, UPDATE } from '../../../src/wire/v2/paths.ts';
import { targetsOf } from '../../support/orders.ts';
import { type Machine, newMachine, readJson } from '../support/machine.ts';
import { commandOrder, keyOf, revocations, rotation, settingsOrder, sign } from '../support/orders.ts';
import { type Site, startSite } from '../support/site.ts';

interface Together {
  site: Site;
  machine: Machine;
  target: { host_id: HostId; hostname: string };
}

/** The real server and the real agent's commands, with a host that has checked in. */
async function together(t: ExecutionContext): Promise<Together> {
  const site = await startSite(t);
  const { publicKey, fingerprint } = await keyOf('server');
  site.orderKey = { key: publicKey, fingerprint };
  const machine = await newMachine(t);
  const said = await machine.feed(await site.token(), 'enroll');
  t.is(said.status, 0, said.err);
  t.is((await machine.run('run', '--now')).status, 0);
  const { host_id } = await readJson(machine.places.trust);
  return { site, machine, target: { host_id: String(host_id) as HostId, hostname: 'testhost' } };
}

const soon = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();
const fresh = ({ target }: Together) => ({ targets: [target], made_at: soon(-1000), expires_at: soon(3_600_000) });

async function give({ site, target }: Together, manifest: Manifest, signer: string, ...files: string[]) {
  const { manifest: text, signatures } = await sign(manifest, signer);
  for (const [index, content] of files.entries()) {
    const { sha256 = '', size = 0 } = manifest.files[index] ?? {};
    await site.store.orders.putFile({ sha256, size }, Buffer.from(content));
  }
  const { id, kind, by, why } = manifest;
  const times = { made_at: new Date(manifest.made_at), expires_at: new Date(manifest.expires_at) };
  const order = { id, kind, by, why, manifest: text, signatures, files: manifest.files, hosts: 1, ...times };
  t0(await site.store.orders.insert(order, [target]));
  await site.look();
  return id;
}

function t0(done: boolean): void {
  if (!done) throw new Error('the store did not take it');
}

const plain = (value: object) => JSON.parse(JSON.stringify(value));
const stateOf = async ({ site }: Together, order: string) => (await targetsOf(site.store.orders, { order }))[0];
const asked = ({ site }: Together, path: string) => site.passed.filter((one) => one.path === path).length;

test('an order goes from the store to the host within one run, and its result comes back in it', async (t) => {
  const all = await together(t);
  const id = await give(all, settingsOrder(fresh(all)), 'server');
  t.is((await all.machine.run('run', '--now')).status, 0);
  t.is((await stateOf(all, id))?.state, 'done');
  const receipts = await all.site.store.orders.receipts(all.target.host_id);
  t.is(receipts?.broken_at, undefined);
  t.true((receipts?.number ?? 0) >= 2);
});

test('a check-in of a host without orders is one request', async (t) => {
  const all = await together(t);
  const before = all.site.passed.length;
  await all.machine.run('collect');
  await all.machine.run('submit');
  t.is(all.site.passed.length, before + 1);
});

test('a file of several pieces arrives whole, and what the command wrote comes back', async (t) => {
  const all = await together(t);
  const script = `#!/bin/sh\n${`# ${'x'.repeat(97)}\n`.repeat(25_000)}echo it ran\n`;
  const id = await give(all, commandOrder(script, fresh(all)), 'server', script);
  await all.machine.run('submit');
  t.true(asked(all, FILES) >= 3);
  const sha256 =
    (await readFile(join(all.machine.places.inbox, `${id}.json`), 'utf8')).match(/[0-9a-f]{64}/)?.[0] ?? '';
  t.is(await readFile(join(all.machine.places.inbox, sha256), 'utf8'), script);
});

test('a refused order is told to the server with its reason', async (t) => {
  const all = await together(t);
  const id = await give(all, settingsOrder(fresh(all)), 'stranger');
  await all.machine.run('run', '--now');
  t.like(await stateOf(all, id), { state: 'refused' });
  t.regex((await stateOf(all, id))?.report?.reason ?? '', /no signature of it counts/);
});

test('rotations and revocations of the server reach the host before the orders that need them', async (t) => {
  const all = await together(t);
  const document = plain(await rotation(1, 'server', 'second'));
  await all.site.store.orders.putStatement({ kind: 'order-key', number: 1, document });
  const list = plain(await revocations(1, 'second', [['operator', 'bob']]));
  await all.site.store.orders.putStatement({ kind: 'revocations', number: 1, document: list });
  const id = await give(all, settingsOrder(fresh(all)), 'second');
  await all.machine.run('run', '--now');
  t.is((await stateOf(all, id))?.state, 'done');
  const known = await readJson(join(all.machine.places.results, 'known.json'));
  t.like(known, { order_key: 1, revocations: 1, refused_keys: null });
});

test('an order that waits for its time is told as waiting, and done later', async (t) => {
  const all = await together(t);
  const id = await give(all, settingsOrder({ ...fresh(all), not_before: soon(1_500_000) }), 'server');
  await all.machine.run('run', '--now');
  t.is((await stateOf(all, id))?.state, 'waiting');
  await all.site.look();
  const before = asked(all, UPDATE);
  await all.machine.run('run', '--now');
  t.is(asked(all, UPDATE), before, 'and not fetched again');
});

test('a further signature comes by the order again', async (t) => {
  const all = await together(t);
  await writeFile(all.machine.places.policy, 'second_approval: [settings]\n');
  const { places } = all.machine;
  await mkdir(places.operators, { mode: 0o755 });
  await writeFile(join(places.operators, 'bob.asc'), (await keyOf('bob')).publicKey);
  const manifest = settingsOrder(fresh(all));
  const id = await give(all, manifest, 'server');
  await all.machine.run('run', '--now');
  t.is((await stateOf(all, id))?.state, 'waiting');
  const [signature = ''] = (await sign(manifest, 'bob')).signatures;
  t.true(await all.site.store.orders.addSignature(id, signature, new Date()));
  await all.site.look();
  await all.machine.run('run', '--now');
  t.is((await stateOf(all, id))?.state, 'done');
});

test('receipts that somebody cut off show on the server', async (t) => {
  const all = await together(t);
  await give(all, settingsOrder(fresh(all)), 'server');
  await all.machine.run('run', '--now');
  const { receipts } = all.machine.places;
  const [first] = (await readFile(receipts, 'utf8')).split('\n');
  await writeFile(`${receipts}.new`, `${first}\n`);
  await rename(`${receipts}.new`, receipts);
  await all.machine.run('submit');
  t.not((await all.site.store.orders.receipts(all.target.host_id))?.broken_at, undefined);
  t.is(asked(all, RESULTS) > 0, true);
});
