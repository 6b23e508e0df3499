import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, mkdir, readFile, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { readReceiptsAfter } from '../../../src/agent/orders/read-receipts.ts';
import { appendReceipt } from '../../../src/agent/orders/receipts.ts';
import { openResults } from '../../../src/agent/orders/results.ts';
import { verifyReceipts } from '../../../src/agent/orders/verify-receipts.ts';
import { makeOrders, type Places, placesOf } from '../../../src/agent/places.ts';
import type { ReceiptsHead } from '../../../src/core/order.ts';
import { NO_RECEIPTS } from '../../../src/wire/v2/receipt.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { realRandom } from '../../support/world.ts';
import { newMachine } from '../support/machine.ts';
import { NOW } from '../support/orders.ts';

const content = (detail = 'a test') => ({
  order: realRandom.uuid(),
  kind: 'command',
  event: 'accepted' as const,
  by: 'alice',
  why: 'because',
  detail,
});

async function places(t: ExecutionContext): Promise<Places> {
  const where = placesOf({ state: join(await scratchFolder(t), 'state') });
  await makeOrders(where);
  return where;
}

async function append(where: Places, count: number, head: ReceiptsHead = NO_RECEIPTS): Promise<ReceiptsHead> {
  for (let i = 0; i < count; i++) {
    const { number, hash } = await appendReceipt(where, content(), NOW, head);
    head = { number, hash };
  }
  return head;
}

test('receipts form a chain that everybody may read', async (t) => {
  const where = await places(t);
  await append(where, 5);
  const { receipts, faults } = verifyReceipts(where);
  t.deepEqual(faults, []);
  t.deepEqual(
    receipts.map(({ number }) => number),
    [1, 2, 3, 4, 5],
  );
  t.is((await stat(where.receipts)).mode & 0o777, 0o644);
});

test('a last line that was torn off, at any byte, goes, and the chain goes on', async (t) => {
  const where = await places(t);
  const head = await append(where, 2);
  const { size } = await stat(where.receipts);
  await appendReceipt(where, content('é'.repeat(40)), NOW, head);
  const whole = await readFile(where.receipts);
  for (let cut = size; cut < whole.length; cut++) {
    await writeFile(where.receipts, whole.subarray(0, cut));
    const receipt = await appendReceipt(where, content(), NOW, head);
    t.is(receipt.number, 3);
    t.deepEqual(verifyReceipts(where).faults, [], `cut at ${cut}`);
  }
});

test('what is lost at the end shows, and is not made up for', async (t) => {
  const where = await places(t);
  const head = await append(where, 5);
  const text = await readFile(where.receipts, 'utf8');
  await writeFile(where.receipts, `${text.split('\n').slice(0, 3).join('\n')}\n`);
  const receipt = await appendReceipt(where, content(), NOW, head);
  t.is(receipt.number, 6);
  t.is(receipt.previous, head.hash, 'for the server it goes on');
  t.deepEqual(verifyReceipts(where).faults, ['line 4: receipt 6 does not follow number 3']);
});

test('a file that is gone goes on with the next number', async (t) => {
  const where = await places(t);
  const head = await append(where, 3);
  await unlink(where.receipts);
  t.is((await appendReceipt(where, content(), NOW, head)).number, 4);
  t.is(verifyReceipts(where).faults.length, 1);
});

test('a receipt that was changed shows', async (t) => {
  const where = await places(t);
  await append(where, 3);
  const text = await readFile(where.receipts, 'utf8');
  const lines = text.split('\n');
  await writeFile(where.receipts, [lines[0], lines[1]?.replace('alice', 'mallory'), lines[2], ''].join('\n'));
  t.deepEqual(verifyReceipts(where).faults, ['line 2: receipt 2 was changed']);
});

test('what is no receipt at the end is left there, shows, and the chain goes on behind it', async (t) => {
  const where = await places(t);
  const head = await append(where, 2);
  await appendFile(where.receipts, 'scribble\n');
  t.is((await appendReceipt(where, content(), NOW, head)).number, 3);
  t.deepEqual(verifyReceipts(where).faults, ['line 3 is no receipt']);
});

test('long texts and line breaks become one line that the server takes', async (t) => {
  const where = await places(t);
  const wild = { ...content(`${'x'.repeat(5_000)}\n\u2028y`), by: 'a\nb', why: `${'💥'.repeat(600)}` };
  const receipt = await appendReceipt(where, wild, NOW, NO_RECEIPTS);
  t.is(receipt.by, 'a b');
  t.is(receipt.detail.length, 1_000);
  t.true(receipt.why.length <= 1_000 && !/[\ud800-\udbff](?![\udc00-\udfff])/.test(receipt.why));
  t.deepEqual(verifyReceipts(where).faults, []);
});

test('those that follow a number are read from the end of a long file', async (t) => {
  const where = await places(t);
  await append(where, 600);
  for (const after of [0, 1, 299, 598, 599, 600, 700]) {
    const numbers = (await readReceiptsAfter(where, after, 100)).map(({ number }) => number);
    t.deepEqual(
      numbers,
      Array.from({ length: Math.max(0, Math.min(100, 600 - after)) }, (_, index) => after + 1 + index),
    );
  }
});

test('many processes at once write one chain', async (t) => {
  const where = await places(t);
  const clock = { now: () => NOW };
  const writers = Array.from({ length: 4 }, async () => {
    const results = openResults(where, clock);
    for (let i = 0; i < 5; i++) await results.receipt(content());
  });
  await Promise.all(writers);
  const { receipts, faults } = verifyReceipts(where);
  t.is(receipts.length, 20);
  t.deepEqual(faults, []);
});

test('killed at whatever moment, the chain is whole and goes on', async (t) => {
  const { build } = await import('esbuild');
  const folder = await scratchFolder(t);
  const where = await places(t);
  const program = join(folder, 'writer.mjs');
  await build({
    stdin: {
      contents: `
        import { openResults } from './src/agent/orders/results.ts';
        import { placesOf } from './src/agent/places.ts';
        const results = openResults(placesOf({ state: process.argv[2] }), { now: () => new Date() });
        for (let i = 0; ; i++) await results.record(
          { order: '018f0000-0000-7000-8000-000000000001', kind: 'command', event: 'accepted', by: 'a', why: '', detail: 'x'.repeat(900) },
          { state: 'running' },
        );`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
    logLevel: 'silent',
  });
  let before = 0;
  for (let round = 0; round < 12; round++) {
    const child = spawn(process.execPath, [program, where.state], { stdio: 'ignore' });
    const limit = Date.now() + 60_000;
    while ((await stat(where.receipts).catch(() => ({ size: 0 }))).size <= before && Date.now() < limit) await sleep(1);
    await sleep(Math.random() * 40);
    child.kill('SIGKILL');
    await once(child, 'close');
    await openResults(where, { now: () => new Date() }).receipt(content(`after kill ${round}`));
    const { receipts, faults } = verifyReceipts(where);
    t.deepEqual(faults, []);
    t.is(receipts.at(-1)?.detail, `after kill ${round}`);
    before = (await stat(where.receipts)).size;
  }
});

test('receipts are told in words and as JSON', async (t) => {
  const machine = await newMachine(t);
  t.regex((await machine.run('receipts')).out, /no order has come to this machine yet/);
  await makeOrders(machine.places);
  await append(machine.places, 30);
  const said = await machine.run('receipts', '-n', '2');
  t.is(said.status, 0);
  t.is(said.out.split('\n').length, 7);
  t.regex(
    said.out,
    /^2026-06-01T12:00:00Z {2}accepted {2}command {2}[0-9a-f-]{36}\n {2}by alice: because\n {2}a test\n/,
  );
  t.is(JSON.parse((await machine.run('--json', 'receipts')).out).length, 20);
  const verified = await machine.run('receipts', '--verify');
  t.is(verified.status, 0);
  t.regex(verified.out, /30 receipts, and each follows from the one before it/);
  await truncate(machine.places.receipts, 100);
  await appendFile(machine.places.receipts, '\n');
  const broken = await machine.run('receipts', '--verify');
  t.is(broken.status, 1);
  t.regex(broken.err, /the chain of receipts does not fit[\s\S]*line 1 is no receipt/);
  t.is((await machine.run('receipts', '-n', 'many')).status, 2);
});

test('that the last receipts were cut off shows where all that are left follow from each other', async (t) => {
  const machine = await newMachine(t);
  await makeOrders(machine.places);
  const results = openResults(machine.places, { now: () => new Date() });
  for (const word of ['one', 'two', 'three']) await results.receipt(content(word));
  const [first, second] = (await readFile(machine.places.receipts, 'utf8')).split('\n');
  await writeFile(machine.places.receipts, `${first}\n${second}\n`);
  const cut = await machine.run('receipts', '--verify');
  t.is(cut.status, 1);
  t.regex(cut.err, /receipt 3, the last that the agent wrote, is missing/);
});

test('users who may read nothing else of the state may read the receipts', async (t) => {
  const machine = await newMachine(t);
  await makeOrders(machine.places);
  await append(machine.places, 1);
  for (const path of [machine.places.orders.root, machine.places.results]) await chmod(path, 0o000);
  t.teardown(async () => {
    for (const path of [machine.places.orders.root, machine.places.results]) await chmod(path, 0o700);
  });
  await mkdir(machine.places.inbox, { recursive: true });
  t.regex((await machine.run('receipts')).out, /by alice/);
});
