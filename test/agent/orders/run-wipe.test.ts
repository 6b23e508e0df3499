import test from 'ava';
import { readOrderState, writeOrderState } from '../../../src/agent/orders/order-state.ts';
import { readReport } from '../../../src/agent/orders/results.ts';
import type { RunKit } from '../../../src/agent/orders/run-order.ts';
import { writeTold } from '../../../src/agent/orders/told.ts';
import { makeFolder } from '../../../src/agent/places.ts';
import { acceptedOrder, actorOn, targets } from '../support/accepted-order.ts';
import { type Machine, newMachine } from '../support/machine.ts';

const wipeOrder = ({ places }: Machine) => acceptedOrder(places, { kind: 'wipe', ...targets, method: 'homes' });

test('a wipe tells what it will do, waits for the acknowledgement, and tells what it did', async (t) => {
  const machine = await newMachine(t);
  const seen: string[] = [];
  const order = await wipeOrder(machine);
  const { id } = order.manifest;
  await makeFolder(machine.places.inbox, 0o700);
  const handOver = async () => {
    const report = await readReport(machine.places, id);
    seen.push(`${report?.state}: ${report?.steps?.join(', ')}`);
    await writeTold(machine.places, { reports: { [id]: report?.number ?? 0 }, receipts: 0, version: 0 });
  };
  const wipe: RunKit['wipe'] = async (manifest, telling) => {
    await telling.tellBefore(['will remove the home of ann']);
    seen.push(`wiped by ${manifest.kind === 'wipe' ? manifest.method : ''}`);
    await telling.steps('removed the home of ann');
    t.deepEqual((await readReport(machine.places, id))?.steps, ['removed the home of ann'], 'as it goes');
    await telling.tellAfter({ state: 'failed', reason: 'not all', steps: ['removed the home of ann'] });
    return { state: 'failed', reason: 'not all', steps: ['removed the home of ann', 'not done: bob'] };
  };
  const actor = actorOn(machine.places, 'this boot', { handOver, wipe });
  await actor.act(order);
  t.deepEqual(seen, ['about-to: will remove the home of ann', 'wiped by homes', 'failed: removed the home of ann']);
  t.like(await actor.report(order), {
    state: 'failed',
    reason: 'not all',
    steps: ['removed the home of ann', 'not done: bob'],
  });
  t.deepEqual(
    (await actor.receipts()).map(({ event, detail }) => [event, detail]),
    [
      ['started', 'homes'],
      // before the machine goes off, and again where it could not
      ['failed', 'not all'],
      ['failed', 'not all'],
    ],
  );
});

test('a wipe that was cut off goes on, where a command would not', async (t) => {
  const machine = await newMachine(t);
  let wipes = 0;
  const wipe: RunKit['wipe'] = async () => {
    wipes++;
    return { state: 'done', steps: [] };
  };
  const order = await wipeOrder(machine);
  await writeOrderState(order.folder, { phase: 'running', boot: 'before', steps: [], ran: [], path: 'wipe' });
  const actor = actorOn(machine.places, 'this boot', { wipe });
  // Its time is over meanwhile: what was begun is finished all the same.
  const clock = { now: () => new Date(Date.parse(order.manifest.expires_at) + 1) };
  await actor.act(order, { clock });
  await actor.act(order, { clock });
  t.is(wipes, 1);
  t.like(await actor.report(order), { state: 'done' });
  t.is((await readOrderState(order.folder))?.phase, 'settled');
});
