import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { verifyReceipts } from '../../../src/agent/orders/verify-receipts.ts';
import type { Manifest } from '../../../src/wire/v2/order.ts';
import { whenPresent } from '../../support/needs.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { HOST_ID, keyOf, type OrderHost, orderHost, settingsOrder } from '../support/orders.ts';
import { runAgent, startAgent } from '../support/program.ts';

const node18 = process.env['PENGUINDOME_TEST_NODE18'];

/** A host for the built program, which takes its name and enrolment from files. */
async function builtHost(t: ExecutionContext): Promise<OrderHost & { args: string[]; fresh(): Manifest }> {
  const host = await orderHost(t);
  const { places } = host;
  const { fingerprint } = await keyOf('server');
  const server = {
    url: 'https://localhost:1',
    answer_key: `${'A'.repeat(43)}=`,
    order_key: fingerprint,
    host_id: HOST_ID,
  };
  await writeFile(places.trust, JSON.stringify(server));
  await mkdir(places.settingsFolder, { recursive: true });
  await writeFile(places.settings, 'hostname: testhost\n');
  const times = () => ({
    made_at: new Date(Date.now() - 1000).toISOString(),
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  });
  return { ...host, args: ['--state', places.state], fresh: () => settingsOrder(times()) };
}

/** Says on standard error when openpgp is loaded. */
async function watching(t: ExecutionContext): Promise<string> {
  const path = join(await scratchFolder(t), 'watch.cjs');
  const script = `const M = require('node:module'); const load = M._load;
    M._load = function (name, ...rest) { if (/openpgp/.test(name)) process.stderr.write('loaded openpgp\\n'); return load.call(this, name, ...rest); };`;
  await writeFile(path, script);
  return path;
}

test('apply, as it is shipped, checks an order and acts on it', async (t) => {
  const host = await builtHost(t);
  const id = await host.order(host.fresh());
  const ended = await runAgent([...host.args, 'apply']);
  t.is(ended.status, 0, ended.err);
  t.is((await host.report(id))?.state, 'done');
});

whenPresent(node18 !== undefined, 'the agent on Node 18.19: it could not be installed')(
  'apply checks orders on Node 18.19 too',
  async (t) => {
    const host = await builtHost(t);
    const good = await host.order(host.fresh());
    const bad = await host.order(host.fresh(), 'stranger');
    const ended = await runAgent([...host.args, 'apply'], { node: node18 ?? '' });
    t.is(ended.status, 0, ended.err);
    t.is((await host.report(good))?.state, 'done');
    t.is((await host.report(bad))?.state, 'refused');
  },
);

test('openpgp is loaded where an order is to be judged, and else not', async (t) => {
  const host = await builtHost(t);
  const preload = await watching(t);
  const run = async (...args: string[]) => (await runAgent([...host.args, ...args], { preload })).err;
  await host.order(host.fresh());
  t.regex(await run('apply'), /loaded openpgp/);
  for (const command of ['apply', 'run', 'submit', 'status', 'receipts', 'collect']) {
    t.notRegex(await run(command), /loaded openpgp/, command);
  }
});

test('killed at whatever moment, apply loses no order and does none twice', async (t) => {
  const host = await builtHost(t);
  t.is((await runAgent([...host.args, 'apply'])).status, 0);
  const ids: string[] = [];
  for (let round = 0; round < 15; round++) {
    ids.push(await host.order(host.fresh()), await host.order(host.fresh()));
    const { child, ended } = startAgent([...host.args, 'apply']);
    await sleep(60 + Math.random() * 300);
    child.kill('SIGKILL');
    await ended;
    t.deepEqual(verifyReceipts(host.places).faults, []);
  }
  const ended = await runAgent([...host.args, 'apply']);
  t.is(ended.status, 0, ended.err);
  t.deepEqual(
    (await host.inbox()).filter((name) => name.endsWith('.json')),
    [],
  );
  const receipts = await host.receipts();
  t.deepEqual(verifyReceipts(host.places).faults, []);
  t.deepEqual(
    receipts.filter(({ event }) => event === 'refused'),
    [],
  );
  for (const id of ids) {
    t.is((await host.report(id))?.state, 'done', id);
    t.true(receipts.some(({ order, event }) => order === id && event === 'accepted'));
  }
  t.deepEqual((await host.known())['open'], []);
  t.deepEqual(
    (await readdir(host.places.orders.root)).filter((name) => name.startsWith('.tmp-')),
    [],
  );
  t.deepEqual(Object.keys(JSON.parse(await readFile(host.places.orders.seen, 'utf8')).ids).sort(), [...ids].sort());
});
