import { v7 } from 'uuid';
import type { Issue } from '../../src/core/issue.ts';
import type { IssueFilter, Store, StoredDocument } from '../../src/store/port.ts';
import { enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

const at = (hour: number) => new Date(Date.UTC(2026, 10, 23, hour, 0, 0, 7));
const named = (list: { hostname: string; name: string }[]) => list.map(({ hostname, name }) => `${hostname} ${name}`);

async function open(store: Store, filter?: IssueFilter): Promise<Issue[]> {
  const found: Issue[] = [];
  for await (const issue of store.issues.listOpen(filter)) found.push(issue);
  return found;
}

async function openSome(store: Store, ...issues: string[]): Promise<void> {
  for (const issue of issues) {
    const [hostname = '', name = ''] = issue.split(' ');
    await store.issues.open(hostname, name, at(1));
  }
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: open issues are snoozed, for longer but not for less, and no others`, async (t) => {
    const store = await (await prepare(t)).open();
    await openSome(store, 'b x', 'a y', 'a x', 'a closed');
    await store.issues.close('a', 'closed', at(2));
    t.deepEqual(named(await store.issues.snooze({ hostnames: ['a'] }, at(10), at(3))), ['a x', 'a y']);
    t.deepEqual(named(await store.issues.snooze({ names: ['x'] }, at(9), at(4))), ['b x']);
    t.deepEqual(named(await store.issues.snooze({}, at(8), at(4))), []);
    t.deepEqual(named(await store.issues.snooze({ hostnames: ['a'], names: ['x'] }, at(12), at(5))), ['a x']);
    t.deepEqual(
      (await open(store)).map(({ snoozed_at, unsnooze_at }) => [snoozed_at, unsnooze_at]),
      [
        [at(5), at(12)],
        [at(3), at(10)],
        [at(4), at(9)],
      ],
    );
  });

  test(`${kind}: who is unsnoozed is so from now on, and can be snoozed again`, async (t) => {
    const store = await (await prepare(t)).open();
    await openSome(store, 'a x', 'b x', 'c x');
    await store.issues.snooze({ hostnames: ['a', 'b'] }, at(10), at(3));
    t.deepEqual(named(await store.issues.unsnooze({ names: ['x'] }, at(4))), ['a x', 'b x']);
    t.deepEqual(named(await store.issues.unsnooze({}, at(5))), []);
    t.like((await open(store))[0], { unsnooze_at: at(4), unsnoozed_at: at(4) });
    t.deepEqual(named(await store.issues.snooze({ hostnames: ['a'] }, at(9), at(6))), ['a x']);
    const [issue] = await open(store);
    t.deepEqual([issue?.unsnooze_at, issue?.unsnoozed_at], [at(9), undefined]);
  });

  test(`${kind}: what an operator closed opens again only for what came after that`, async (t) => {
    const store = await (await prepare(t)).open();
    await openSome(store, 'a x', 'a y', 'b x');
    t.deepEqual(named(await store.issues.closeByHand({ hostnames: ['a'] }, at(5))), ['a x', 'a y']);
    t.deepEqual(named(await store.issues.closeByHand({ hostnames: ['a'] }, at(6))), []);
    t.deepEqual(named(await open(store)), ['b x']);
    t.false(await store.issues.open('a', 'x', at(9), at(4)), 'data of before');
    t.false(await store.issues.open('a', 'x', at(9), at(5)), 'data of that very moment');
    t.true(await store.issues.open('a', 'x', at(9), at(6)));
    t.false(await store.issues.open('a', 'x', at(10), at(10)));
    t.true(await store.issues.open('a', 'y', at(7)), 'an event is data of its own time');
    t.deepEqual(named(await open(store)), ['a x', 'a y', 'b x']);
    t.true(await store.issues.close('a', 'x', at(11)));
    t.true(await store.issues.open('a', 'x', at(12), at(6)), 'what is closed otherwise is not held');
  });

  test(`${kind}: checks carried over leave closed what an operator closed, until newer data`, async (t) => {
    const store = await (await prepare(t)).open();
    await openSome(store, 'a x', 'a y');
    await store.issues.closeByHand({}, at(5));
    const carry = (failing: string[], passing: string[], hour: number, shown: number) =>
      store.issues.reconcile('a', failing, passing, at(hour), at(shown));
    t.deepEqual(await carry(['x', 'z'], ['y'], 6, 4), { opened: ['z'], closed: [] });
    t.deepEqual(await carry(['x', 'y', 'z'], [], 8, 7), { opened: ['x', 'y'], closed: [] });
    t.deepEqual(await carry([], ['x', 'y', 'z'], 9, 9), { opened: [], closed: ['x', 'y', 'z'] });
  });

  test(`${kind}: what is held is listed until it is released`, async (t) => {
    const store = await (await prepare(t)).open();
    await openSome(store, 'a x', 'b x');
    await store.issues.closeByHand({ names: ['x'] }, at(5));
    await store.issues.close('a', 'x', at(6));
    const held = await store.issues.listHeld();
    t.deepEqual(named(held).sort(), ['a x', 'b x']);
    t.deepEqual(held[0]?.closed_at, at(5));
    await store.issues.release(held.filter(({ hostname }) => hostname === 'a'));
    t.deepEqual(named(await store.issues.listHeld()), ['b x']);
    t.true(await store.issues.open('a', 'x', at(7), at(4)));
    t.false(await store.issues.open('b', 'x', at(7), at(4)));
    await store.issues.release([]);
  });

  test(`${kind}: of many who open at once what is held, with newer data, one does`, async (t) => {
    const store = await (await prepare(t)).open();
    await openSome(store, 'a x');
    await store.issues.closeByHand({}, at(5));
    const opened = await Promise.all(Array.from({ length: 8 }, () => store.issues.open('a', 'x', at(7), at(6))));
    t.is(opened.filter(Boolean).length, 1);
    t.is((await open(store)).length, 1);
  });

  test(`${kind}: an operator opens what he likes, also what was closed by hand, once`, async (t) => {
    const store = await (await prepare(t)).open();
    await openSome(store, 'a x');
    t.false(await store.issues.openByHand('a', 'x', at(2)));
    await store.issues.closeByHand({}, at(3));
    t.true(await store.issues.openByHand('a', 'x', at(3)));
    t.true(await store.issues.openByHand('a', 'own', at(3)));
    t.deepEqual(await open(store), [
      { hostname: 'a', name: 'own', opened_at: at(3), by_hand: true },
      { hostname: 'a', name: 'x', opened_at: at(3), by_hand: true },
    ]);
  });

  test(`${kind}: what is held goes with a host that is renamed, and into backups`, async (t) => {
    const store = await (await prepare(t)).open();
    const { identity } = await enrolledHost(store, { hostname: 'a' });
    await openSome(store, 'a x', 'a y', 'n x', 'n y');
    await store.issues.closeByHand({ names: ['x'] }, at(5));
    t.is(await store.hosts.rename({ id: identity.host_id, from: 'a', to: 'n' }, at(6)), 'renamed');
    t.deepEqual(named(await open(store)), ['n y']);
    t.false(await store.issues.open('n', 'x', at(7), at(4)));
    const documents: StoredDocument[] = [];
    for await (const document of store.upkeep.export()) documents.push(document);
    await store.upkeep.import(
      (async function* () {
        yield* documents;
      })(),
      v7(),
    );
    t.false(await store.issues.open('n', 'x', at(7), at(4)), 'held after the restore');
    t.true(await store.issues.open('n', 'x', at(8), at(7)));
  });
});
