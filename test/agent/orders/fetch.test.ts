import { writeFileSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Manifest } from '../../../src/wire/v2/order.ts';
import { FILES, RESULTS, SUBMIT, UPDATE } from '../../../src/wire/v2/paths.ts';
import { canMount, smallDisk } from '../../faults/support/small-disk.ts';
import { whenPresent } from '../../support/needs.ts';
import { realRandom } from '../../support/world.ts';
import type { Machine } from '../support/machine.ts';
import { newMachine, readJson } from '../support/machine.ts';
import { type OrderServer, orderServer } from '../support/order-server.ts';
import { commandOrder, keyOf, revocations, settingsOrder, sha256, sign } from '../support/orders.ts';
import { type Site, startSite } from '../support/site.ts';

interface Trio {
  site: Site;
  server: OrderServer;
  machine: Machine;
  hostId: string;
}

/** An enrolled host that has checked in once, and a server that says of orders what the test wants. */
async function enrolled(t: ExecutionContext, place: { state?: string } = {}): Promise<Trio> {
  const site = await startSite(t);
  const machine = await newMachine(t, place);
  const { fingerprint, publicKey } = await keyOf('server');
  site.orderKey = { key: publicKey, fingerprint };
  const said = await machine.feed(await site.token(), 'enroll');
  t.is(said.status, 0, said.err);
  const server = orderServer(site);
  server.keys.first_order_key = publicKey;
  const { host_id: hostId } = await readJson(machine.places.trust);
  return { site, server, machine, hostId: String(hostId) };
}

const soon = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();
const fresh = (hostId: string) => ({
  targets: [{ host_id: hostId, hostname: 'testhost' }],
  made_at: soon(-1000),
  expires_at: soon(3_600_000),
});

async function give(server: OrderServer, manifest: Manifest, ...files: string[]): Promise<string> {
  server.orders.push({ id: manifest.id, document: await sign(manifest, 'server') });
  for (const file of files) server.files.set(sha256(file), Buffer.from(file));
  return manifest.id;
}

const inbox = async ({ places }: Machine) =>
  (await readdir(places.inbox)).filter((name) => name !== 'told.json').sort();
const paths = ({ asked }: OrderServer) => asked.map(({ path }) => path);

test('the first run after the enrolment asks for orders, a check-in after it does not', async (t) => {
  const { server, machine } = await enrolled(t);
  await machine.run('collect');
  t.is((await machine.run('submit')).status, 0);
  t.deepEqual(paths(server), [UPDATE]);
  t.deepEqual(server.asked[0]?.message, {
    hostname: 'testhost',
    release: 0,
    held: [],
    order_key: 0,
    revocations: 0,
    agent: '0.0.0-test',
  });
  await machine.run('collect');
  const said = await machine.run('--json', 'submit');
  t.like(said.json(), { orders: { asked: false, came: 0, told: 0 } });
  t.is(paths(server).length, 1);
});

test('it asks where the answer to a report says that there may be orders', async (t) => {
  const { server, machine } = await enrolled(t);
  await machine.run('submit');
  server.hint = true;
  await machine.run('collect');
  await machine.run('submit');
  t.deepEqual(paths(server), [UPDATE, SUBMIT, UPDATE]);
});

test('it asks where nothing was handed over', async (t) => {
  const { server, machine } = await enrolled(t);
  for (let i = 0; i < 3; i++) await machine.run('submit');
  t.deepEqual(paths(server), [UPDATE, UPDATE, UPDATE]);
});

test('--orders-only leaves reports where they are', async (t) => {
  const { server, machine } = await enrolled(t);
  await machine.run('collect');
  t.is((await machine.run('submit', '--orders-only')).status, 0);
  t.deepEqual(paths(server), [UPDATE]);
  t.is((await machine.spooled()).length, 1);
});

test('a lost host fetches its orders and tells what became of them', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  await machine.run('submit');
  await machine.run('collect');
  server.spoil = (path, content) =>
    path === SUBMIT ? { error: 'lost', reason: 'cannot take reports of a lost host', status: 403 } : content;
  const id = await give(server, settingsOrder(fresh(hostId)));
  t.is((await machine.run('submit')).status, 4);
  t.true((await inbox(machine)).includes(`${id}.json`));
  await machine.run('apply');
  t.is((await machine.run('submit')).status, 4);
  t.is(server.receipts[0]?.order, id);
  t.is((await machine.spooled()).length, 1, 'and keeps its reports');
});

test('a host that the server refuses otherwise asks for nothing', async (t) => {
  const { server, machine } = await enrolled(t);
  await machine.run('collect');
  server.spoil = (path, content) =>
    path === SUBMIT ? { error: 'revoked-key', reason: 'cannot use a revoked key', status: 401 } : content;
  await machine.run('submit');
  t.false(paths(server).includes(UPDATE));
});

test('files come by pieces, and one that was cut off goes on where it was', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  const script = `#!/bin/sh\n${'# a long program\n'.repeat(500)}`;
  server.piece = 1000;
  const manifest = commandOrder(script, fresh(hostId));
  await give(server, manifest, script);
  let pieces = 0;
  server.spoil = (path, content) => (path === FILES && ++pieces > 3 ? undefined : content);
  const said = await machine.run('submit');
  t.is(said.status, 75, said.err);
  t.deepEqual(await inbox(machine), [`${sha256(script)}.part`, `${manifest.id}.json`, 'trust.json'].sort());
  t.is((await stat(join(machine.places.inbox, `${sha256(script)}.part`))).size, 3000);
  t.is((await machine.submitter()).orders_problem?.code, 'unreachable');
  server.spoil = undefined;
  server.asked = [];
  t.is((await machine.run('submit')).status, 0);
  t.is(server.asked.find(({ path }) => path === FILES)?.message['offset'], 3000);
  t.is(await readFile(join(machine.places.inbox, sha256(script)), 'utf8'), script);
  t.is((await machine.submitter()).orders_problem, null);
});

test('a part becomes the file only when size and digest are right', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  const script = '#!/bin/sh\necho right\n';
  await give(server, commandOrder(script, fresh(hostId)), script);
  server.files.set(sha256(script), Buffer.from('#!/bin/sh\necho wrong\n'));
  const said = await machine.run('submit');
  t.regex(said.err, /what came is not what its digest says/);
  t.false((await inbox(machine)).some((name) => name.startsWith(sha256(script))));
  server.files.set(sha256(script), Buffer.from(`${script} and more`));
  t.regex((await machine.run('submit')).err, /cannot understand the server's answer about a file/);
  server.files.set(sha256(script), Buffer.from(script));
  t.is((await machine.run('submit')).status, 0);
  t.is(await readFile(join(machine.places.inbox, sha256(script)), 'utf8'), script);
});

for (const [what, spoiled] of Object.entries({
  'another offset': { offset: 1 },
  'another file': { sha256: 'a'.repeat(64) },
  nothing: { content: '' },
  'more than the file holds': { content: Buffer.alloc(100_000).toString('base64') },
})) {
  test(`a piece that is ${what} is not taken`, async (t) => {
    const { server, machine, hostId } = await enrolled(t);
    const script = '#!/bin/sh\n';
    await give(server, commandOrder(script, fresh(hostId)), script);
    server.spoil = (path, content) => (path === FILES ? { ...content, ...spoiled } : content);
    t.regex((await machine.run('submit')).err, /cannot understand the server's answer about a file/);
    t.false((await inbox(machine)).includes(sha256(script)));
  });
}

test('an order whose file the server has no more goes from the inbox', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  await give(server, commandOrder('#!/bin/sh\n', fresh(hostId)));
  t.is((await machine.run('submit')).status, 0);
  t.deepEqual(await inbox(machine), ['trust.json']);
});

test('files that no order names, and what a crash left, go', async (t) => {
  const { machine } = await enrolled(t);
  await machine.run('submit');
  for (const name of [`${'b'.repeat(64)}.part`, 'c'.repeat(64), '.tmp-x']) {
    await writeFile(join(machine.places.inbox, name), 'x');
  }
  await machine.run('submit');
  t.deepEqual(await inbox(machine), ['trust.json']);
});

test('no more orders lie in the inbox than it may hold', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  const { document } = { document: await sign(settingsOrder(fresh(hostId)), 'server') };
  for (let i = 0; i < 250; i++) {
    const id = `018f0000-0000-7000-8000-${String(i).padStart(12, '0')}`;
    const manifest = document.manifest.replace(/"id":"[^"]*"/, `"id":"${id}"`);
    server.orders.push({ id, document: { ...document, manifest } });
  }
  await machine.run('submit');
  t.is((await inbox(machine)).filter((name) => /^018f/.test(name)).length, 200);
});

test('run fetches, applies and tells in one go, and asks for nothing twice', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  const id = await give(server, settingsOrder(fresh(hostId)));
  await machine.run('run', '--now');
  t.deepEqual(server.receipts.map(({ order, event }) => ({ order, event })).slice(0, 1), [
    { order: id, event: 'accepted' },
  ]);
  t.is(server.reports.at(-1)?.order, id);
  t.deepEqual(await inbox(machine), []);
  const told = await readJson(join(machine.places.inbox, 'told.json'));
  t.like(told, { receipts: server.receipts.length });
  server.asked = [];
  await machine.run('run', '--now');
  await machine.run('submit');
  t.deepEqual(paths(server), [UPDATE]);
  t.deepEqual(server.asked[0]?.message['held'], [id]);
  t.is(server.asked[0]?.message['order_key'], 0);
});

test('receipts go to the server one after the other, each once', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  for (let i = 0; i < 3; i++) {
    await give(server, settingsOrder(fresh(hostId)));
    await machine.run('submit');
    await machine.run('apply');
  }
  await machine.run('submit');
  const numbers = server.asked
    .filter(({ path }) => path === RESULTS)
    .flatMap(({ message }) => (Array.isArray(message['receipts']) ? message['receipts'] : []))
    .map((receipt) => receipt.number);
  t.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
  t.true(numbers.length >= 3);
});

test('results that could not be handed over go with the next check-in', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  const id = await give(server, settingsOrder(fresh(hostId)));
  await machine.run('submit');
  await machine.run('apply');
  server.spoil = (path, content) => (path === RESULTS ? undefined : content);
  t.is((await machine.run('submit')).status, 75);
  server.spoil = undefined;
  server.asked = [];
  await machine.run('collect');
  t.is((await machine.run('submit')).status, 0);
  t.true(paths(server).includes(RESULTS));
  t.is(server.reports.at(-1)?.order, id);
});

test('a server whose store was restored is told again what became of orders', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  const id = await give(server, settingsOrder(fresh(hostId)));
  await machine.run('submit');
  await machine.run('apply');
  await machine.run('collect');
  await machine.run('submit');
  t.is(server.reports.at(-1)?.order, id);
  server.reports = [];
  await machine.run('collect');
  await machine.run('submit');
  t.deepEqual(server.reports, [], 'the same store has it');
  const epoch = realRandom.uuid();
  server.spoil = (path, content) => (path === SUBMIT ? { ...content, epoch } : content);
  await machine.run('collect');
  t.is((await machine.run('submit')).status, 0);
  t.like(server.reports, [{ order: id, state: 'done' }]);
  server.asked = [];
  await machine.run('collect');
  await machine.run('submit');
  t.false(paths(server).includes(RESULTS), 'once');
});

test('what the server calls malformed keeps neither other results nor new orders from their way', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  const ids = [await give(server, settingsOrder(fresh(hostId))), await give(server, settingsOrder(fresh(hostId)))];
  await machine.run('submit');
  await machine.run('apply');
  server.spoil = (path, content) => {
    const { reports } = server.asked.at(-1)?.message ?? {};
    const isBad = path === RESULTS && JSON.stringify(reports).includes(ids[0] ?? '');
    return isBad ? { error: 'bad-request', reason: 'cannot read it', status: 400 } : content;
  };
  server.reports = [];
  const next = await give(server, settingsOrder(fresh(hostId)));
  t.is((await machine.run('submit')).status, 0);
  t.true((await inbox(machine)).includes(`${next}.json`));
  const told = await readJson(join(machine.places.inbox, 'told.json'));
  t.deepEqual(Object.keys(Object(told['reports'])).sort(), [...ids].sort());
});

test('an order that was taken while the answer was on its way is not put there again', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  const id = await give(server, settingsOrder({ ...fresh(hostId), not_before: soon(1_800_000) }));
  await machine.run('submit');
  await machine.run('apply');
  server.spoil = (path, content) =>
    path === UPDATE ? { ...content, orders: server.orders.map(({ document }) => document) } : content;
  await machine.run('submit');
  t.false((await inbox(machine)).includes(`${id}.json`));
  await machine.run('apply');
  t.deepEqual(
    server.receipts.filter(({ event }) => event === 'refused'),
    [],
  );
});

test('revocations that the server shows reach the applier', async (t) => {
  const { server, machine, hostId } = await enrolled(t);
  server.keys.revocations = await revocations(1, 'server', [['order', 'server']]);
  await machine.run('submit');
  await give(server, settingsOrder(fresh(hostId)));
  await machine.run('submit');
  const said = await machine.run('apply');
  t.regex(said.err, /order key that signed is revoked/);
});

test('a run with nothing in the inbox applies nothing', async (t) => {
  const { machine } = await enrolled(t);
  await machine.run('run', '--now');
  const { applied_at } = await readJson(join(machine.places.results, 'known.json'));
  t.is(typeof applied_at, 'string', 'the first key came');
  await machine.run('run', '--now');
  t.is((await readJson(join(machine.places.results, 'known.json')))['applied_at'], applied_at);
});

whenPresent(canMount(), 'a full disk: a tmpfs cannot be mounted (that takes root)')(
  'a full disk loses nothing: what has come so far goes on when there is room again',
  async (t) => {
    const disk = await smallDisk(t, 24);
    const { server, machine, hostId } = await enrolled(t, { state: join(disk.folder, 'state') });
    const script = `#!/bin/sh\n${'# a long program\n'.repeat(60_000)}`;
    server.piece = 64 * 1024;
    await give(server, commandOrder(script, fresh(hostId)), script);
    server.spoil = (path, content) => {
      if (path === FILES && Number(content['offset']) === 128 * 1024)
        writeFileSync(join(disk.folder, 'filler'), Buffer.alloc(20 * 1024 * 1024));
      return content;
    };
    const said = await machine.run('submit');
    t.is(said.status, 75, said.err);
    t.regex(said.err, /bytes are free/);
    t.is((await stat(join(machine.places.inbox, `${sha256(script)}.part`))).size, 192 * 1024);
    await machine.run('collect');
    t.is((await machine.run('submit')).status, 75, 'and reports go on');
    t.is((await machine.spooled()).length, 1);
    await disk.makeRoom();
    t.is((await machine.run('submit')).status, 0);
    t.is(await readFile(join(machine.places.inbox, sha256(script)), 'utf8'), script);
  },
);
