import { EventEmitter } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { ObjectId, ServerType } from 'mongodb';
import { StoreUnavailable } from '../../../src/core/errors.ts';
import { reachBy } from '../../../src/store/mongo/errors.ts';
import { watchPrimary } from '../../../src/store/mongo/primary.ts';

/** Tells of primaries as the driver's client does. */
function toldOf() {
  const client = new EventEmitter();
  const elect = (election: number) => {
    const newDescription = {
      type: ServerType.RSPrimary,
      address: '127.0.0.1:1',
      electionId: ObjectId.createFromTime(election),
    };
    client.emit('serverDescriptionChanged', { newDescription });
  };
  return { client, elect };
}

test('a confirmation that is never answered holds nobody up for long, and the next one is asked for anew', async (t) => {
  const { client, elect } = toldOf();
  let asked = 0;
  const confirm = () => (++asked === 1 ? new Promise(() => undefined) : Promise.resolve());
  const reach = reachBy(watchPrimary(client, confirm, 50));
  elect(1);
  const waiting = [reach(async () => 1), reach(async () => 2)];
  for (const each of waiting) await t.throwsAsync(each, { instanceOf: StoreUnavailable });
  t.is(await reach(async () => 3), 3);
  t.is(await reach(async () => 4), 4);
  t.is(asked, 2);
});

test('what is under way when another primary comes fails, one by one too; a primary that is told again changes nothing', async (t) => {
  const { client, elect } = toldOf();
  const reach = reachBy(watchPrimary(client, async () => undefined, 50));
  elect(1);
  const during = (work: () => void) => reach(async () => work());
  await t.notThrowsAsync(during(() => elect(1)));
  await t.throwsAsync(
    during(() => elect(2)),
    { instanceOf: StoreUnavailable, message: /another member/ },
  );
  const seen: number[] = [];
  const list = async () => {
    const each = reach.each(async function* () {
      yield 1;
      elect(3);
      yield 2;
    });
    for await (const item of each) seen.push(item);
  };
  await t.throwsAsync(list, { instanceOf: StoreUnavailable });
  t.deepEqual(seen, [1]);
});

test('where the primary changes while it is confirmed, the new one is, too', async (t) => {
  const { client, elect } = toldOf();
  let asked = 0;
  const confirm = async () => {
    if (++asked === 1) elect(2);
    await setTimeout(1);
  };
  const reach = reachBy(watchPrimary(client, confirm, 1000));
  elect(1);
  t.is(await reach(async () => 1), 1);
  t.is(asked, 2);
});
