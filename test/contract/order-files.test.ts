import { randomBytes } from 'node:crypto';
import { days } from '../../src/core/duration.ts';
import { PIECE } from '../../src/store/order-records.ts';
import { anOrder, putContent, sha256Of } from '../support/orders.ts';
import { forEachStore } from '../support/stores.ts';

forEachStore((kind, test, prepare) => {
  test(`${kind}: a file comes back byte for byte, from wherever it is read`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const content = randomBytes(2 * PIECE + 11);
    const { sha256, size } = await putContent(orders, content);
    const read = async (offset: number, length: number) =>
      Buffer.from((await orders.readFile(sha256, offset, length)) ?? 'none');
    for (const [offset, length] of [
      [0, size],
      [0, 1],
      [PIECE - 1, 2],
      [PIECE, PIECE],
      [PIECE + 5, PIECE],
      [2 * PIECE + 10, 100],
      [size, 5],
      [size + 7, 5],
      [3, 0],
    ] as const) {
      t.true((await read(offset, length)).equals(content.subarray(offset, offset + length)), `${offset} ${length}`);
    }
    t.is(await orders.readFile('0'.repeat(64), 0, 5), undefined);
  });

  test(`${kind}: an empty file is a file; one that is not what it is called is refused`, async (t) => {
    const { orders } = await (await prepare(t)).open();
    const { sha256 } = await putContent(orders, new Uint8Array());
    t.is((await orders.readFile(sha256, 0, 5))?.length, 0);
    const content = Buffer.from('x');
    await t.throwsAsync(orders.putFile({ sha256: sha256Of(content), size: 2 }, content), { instanceOf: RangeError });
    await t.throwsAsync(orders.putFile({ sha256: '0'.repeat(64), size: 1 }, content), { instanceOf: RangeError });
    t.is(await orders.readFile(sha256Of(content), 0, 5), undefined);
  });

  test(`${kind}: many may put in the same file at once, and again`, async (t) => {
    const place = await prepare(t);
    const stores = [await place.open(), await place.open()];
    const content = randomBytes(PIECE + 1);
    await Promise.all(stores.flatMap(({ orders }) => [putContent(orders, content), putContent(orders, content)]));
    const file = await putContent(stores[0]?.orders ?? t.fail(), content);
    t.true(content.equals((await stores[1]?.orders.readFile(file.sha256, 0, 3 * PIECE)) ?? Buffer.from('')));
  });

  test(`${kind}: content goes when no order of the last 90 days names it, and nobody is about to`, async (t) => {
    const now = new Date('2026-11-23T12:00:00Z');
    const { orders } = await (await prepare(t)).open({ clock: { now: () => now } });
    const [named, shared, loose] = [
      await putContent(orders, Buffer.from('named')),
      await putContent(orders, Buffer.from('shared')),
      await putContent(orders, Buffer.from('loose')),
    ];
    const ends = new Date(now.getTime() + days(7));
    await orders.insert(anOrder({ files: [named, shared], expires_at: ends }), []);
    await orders.insert(anOrder({ files: [shared], expires_at: new Date(ends.getTime() + days(30)) }), []);
    const there = async (at: number) => {
      await orders.expireOrders(new Date(now.getTime() + at));
      const found = await Promise.all([named, shared, loose].map(({ sha256 }) => orders.readFile(sha256, 0, 1)));
      return found.map((content) => content !== undefined);
    };
    t.deepEqual(await there(days(0.9)), [true, true, true]);
    t.deepEqual(await there(days(1.1)), [true, true, false]);
    t.deepEqual(await there(days(96)), [true, true, false]);
    t.deepEqual(await there(days(97.1)), [false, true, false]);
    t.deepEqual(await there(days(127.1)), [false, false, false]);
    const again = await putContent(orders, Buffer.from('named'));
    t.is((await orders.readFile(again.sha256, 0, 9))?.length, 5, 'and comes again');
  });
});
