import test from 'ava';
import { StoreUnavailable } from '../../../src/core/errors.ts';
import { reachBy } from '../../../src/store/mongo/errors.ts';
import { ALWAYS } from '../../../src/store/mongo/primary.ts';
import { share } from '../../../src/store/mongo/share.ts';

const reach = reachBy(ALWAYS);
const most = { items: 10, bytes: 100 };

test('a batch that is never answered fails in time, and the next one goes on', async (t) => {
  const batches: number[][] = [];
  const ask = share<number, number>(
    (items) => {
      batches.push(items);
      if (batches.length === 1) return new Promise(() => undefined);
      return Promise.resolve(items.map((item) => ({ answer: item * 2 })));
    },
    { most, deadline: 50 },
  );
  const [first, second] = [ask(1), ask(2)];
  await new Promise((resolve) => setTimeout(resolve, 10));
  const third = ask(3);
  await t.throwsAsync(first, { instanceOf: StoreUnavailable });
  await t.throwsAsync(second, { instanceOf: StoreUnavailable });
  t.is(await third, 6);
  t.deepEqual(batches, [[1, 2], [3]]);
});

test('what is asked for at once travels together, up to what a batch may hold', async (t) => {
  const sizes: number[] = [];
  const ask = share<number, number>(
    async (items) => {
      sizes.push(items.length);
      return items.map((answer) => ({ answer }));
    },
    { most, sizeOf: (item) => item },
  );
  const answers = await Promise.all([60, 30, 20, 99, 5, 1].map((item) => ask(item)));
  t.deepEqual(answers, [60, 30, 20, 99, 5, 1]);
  t.deepEqual(sizes, [2, 1, 1, 2]);
});

test('while a batch is under way another one sets off once it is worth it, and what is less goes along after it', async (t) => {
  const batches: number[][] = [];
  const ends: (() => void)[] = [];
  const ask = share<number, number>(
    async (items) => {
      batches.push(items);
      await new Promise<void>((resolve) => ends.push(resolve));
      return items.map((answer) => ({ answer }));
    },
    { most, batches: { most: 2, worth: 3 } },
  );
  const turns = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  const answers = [ask(1)];
  await turns();
  t.deepEqual(batches, [[1]]);
  answers.push(ask(2), ask(3));
  await turns();
  t.deepEqual(batches, [[1]]);
  answers.push(ask(4));
  await turns();
  t.deepEqual(batches, [[1], [2, 3, 4]]);
  answers.push(ask(5));
  await turns();
  ends[0]?.();
  await turns();
  t.deepEqual(batches, [[1], [2, 3, 4], [5]]);
  for (const end of ends) end();
  t.deepEqual(await Promise.all(answers), [1, 2, 3, 4, 5]);
});

test('an answer in time is the answer, and an error the error', async (t) => {
  t.is(await reach(async () => 7), 7);
  await t.throwsAsync(
    reach(async () => {
      throw new TypeError('as it is');
    }),
    { instanceOf: TypeError },
  );
});
