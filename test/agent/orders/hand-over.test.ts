import test, { type ExecutionContext } from 'ava';
import { handOverUntilTold } from '../../../src/agent/orders/hand-over.ts';
import { openResults, readReport } from '../../../src/agent/orders/results.ts';
import { writeTold } from '../../../src/agent/orders/told.ts';
import { makeFolder, makeOrders } from '../../../src/agent/places.ts';
import { realClock } from '../../support/world.ts';
import { newMachine } from '../support/machine.ts';

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';

/** A host with a report on that order. */
async function reported(t: ExecutionContext) {
  const { places } = await newMachine(t);
  await makeOrders(places);
  await makeFolder(places.inbox, 0o700);
  await openResults(places, realClock).report(ID, { state: 'running' });
  const acknowledge = async () =>
    writeTold(places, { reports: { [ID]: (await readReport(places, ID))?.number ?? 0 }, receipts: 0 });
  return { places, acknowledge };
}

test('what a submitter that ran already did not see is handed over once more', async (t) => {
  const { places, acknowledge } = await reported(t);
  let calls = 0;
  const handOver = async () => {
    calls++;
    if (calls === 2) await acknowledge();
  };
  await handOverUntilTold({ places, handOver }, ID, 5);
  t.is(calls, 2);
  await handOverUntilTold({ places, handOver }, ID, 5);
  t.is(calls, 2, 'what the server has is handed over no more');
});

test('what cannot be told is left to the timers', async (t) => {
  const { places } = await reported(t);
  let calls = 0;
  const handOver = async () => {
    calls++;
  };
  await handOverUntilTold({ places, handOver }, ID, 2);
  t.is(calls, 2);
});
