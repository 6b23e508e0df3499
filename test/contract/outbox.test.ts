import type { OutboxEntry } from '../../src/core/delivery.ts';
import type { OutboxStore } from '../../src/store/port.ts';
import { anEntry } from '../support/alerts.ts';
import { enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 12, minute, 0, 7));
const claim = (by: string, from: number, until: number) => ({ by, at: at(from), until: at(until) });

async function all(outbox: OutboxStore, delivered = true): Promise<OutboxEntry[]> {
  const found: OutboxEntry[] = [];
  for await (const entry of outbox.list({ delivered })) found.push(entry);
  return found;
}

const keys = (entries: OutboxEntry[]) => entries.map(({ key }) => key);
const entry = (key: string, changes: Partial<OutboxEntry> = {}) =>
  anEntry({ key, message: key, created_at: at(0), next_at: at(0), ...changes });

forEachStore((kind, test, prepare) => {
  test(`${kind}: an entry is in the outbox once, whoever puts it in, and as it was put in`, async (t) => {
    const place = await prepare(t);
    const [one, other] = [await place.open(), await place.open()];
    const full = entry('a', { reason: 'nothing is reported', remediation: 'do it\nnow', message: 'm' });
    t.is(await one.outbox.add([full, entry('b', { created_at: at(1) })]), 2);
    t.is(await other.outbox.add([{ ...full, title: 'another' }, entry('c', { created_at: at(2) })]), 1);
    const many = Array.from({ length: 60 }, (_, index) => entry(`x${index}`, { created_at: at(3) }));
    const counts = await Promise.all([one.outbox.add(many), other.outbox.add(many)]);
    t.is(counts[0] + counts[1], 60);
    const [first, ...rest] = await all(one.outbox);
    t.deepEqual(first, full);
    t.deepEqual(keys(rest).slice(0, 2), ['b', 'c']);
    t.is(rest.length, 62);
    t.deepEqual([...keys(rest.slice(2))].sort(), keys(rest.slice(2)), 'by age, then key');
  });

  test(`${kind}: what is due is told by message, oldest first`, async (t) => {
    const { outbox } = await (await prepare(t)).open();
    await outbox.add([
      entry('a2', { message: 'a', created_at: at(2) }),
      entry('a1', { message: 'a', created_at: at(1) }),
      entry('b', { channel: 'mail', receiver: 'x@example.org' }),
      entry('later', { next_at: at(9) }),
    ]);
    t.deepEqual(await outbox.due(at(5)), [
      { message: 'b', channel: 'mail', receiver: 'x@example.org', created_at: at(0) },
      { message: 'a', channel: 'webhook', receiver: 'ops', created_at: at(1) },
    ]);
    t.is((await outbox.due(at(9))).length, 3);
  });

  test(`${kind}: of several senders one gets each entry, until its lease ends`, async (t) => {
    const place = await prepare(t);
    const stores = await Promise.all(Array.from({ length: 4 }, () => place.open()));
    const { outbox } = stores[0] ?? t.fail();
    const messages = Array.from({ length: 30 }, (_, index) => `m${index}`);
    await outbox.add(messages.map((message) => entry(message)));
    const claimed = await Promise.all(
      stores.map((store, index) => store.outbox.claim(messages, claim(`sender ${index}`, 0, 5))),
    );
    t.deepEqual(keys(claimed.flat()).sort(), [...messages].sort());
    t.deepEqual(await outbox.due(at(4)), []);
    t.deepEqual(await outbox.claim(messages, claim('early', 4, 9)), []);
    t.is((await outbox.claim(messages, claim('late', 5, 9))).length, 30, 'whoever had them is gone');
    t.is(await outbox.settle('sender 0', messages, { outcome: 'delivered', at: at(6) }), 0, 'not its any more');
    t.is(await outbox.settle('late', messages, { outcome: 'released' }), 30);
    t.is((await outbox.due(at(6))).length, 30);
    t.true((await all(outbox)).every(({ attempts }) => attempts === 0));
  });

  test(`${kind}: what came of an attempt is kept`, async (t) => {
    const { outbox } = await (await prepare(t)).open();
    await outbox.add(['a', 'b', 'c'].map((key) => entry(key)));
    await outbox.claim(['a', 'b', 'c'], claim('s', 0, 5));
    t.is(await outbox.settle('s', ['a'], { outcome: 'failed', failure: 'no answer', next_at: at(3) }), 1);
    t.is(await outbox.settle('s', ['b'], { outcome: 'given-up', failure: 'too old', at: at(1) }), 1);
    t.is(await outbox.settle('s', ['c'], { outcome: 'delivered', at: at(1) }), 1);
    t.is(await outbox.settle('s', ['a', 'b', 'c'], { outcome: 'delivered', at: at(2) }), 0, 'each claim ends once');
    t.deepEqual(await all(outbox), [
      entry('a', { attempts: 1, failure: 'no answer', next_at: at(3) }),
      entry('b', { attempts: 1, failure: 'too old', given_up_at: at(1) }),
      entry('c', { attempts: 1, delivered_at: at(1) }),
    ]);
    t.deepEqual(keys(await all(outbox, false)), ['a', 'b']);
    t.deepEqual(await outbox.due(at(2)), []);
    t.is(await outbox.add([entry('c')]), 0, 'delivered is delivered');
    await outbox.claim(['a'], claim('s2', 3, 5));
    await outbox.settle('s2', ['a'], { outcome: 'delivered', at: at(4) });
    t.deepEqual((await all(outbox))[0], entry('a', { attempts: 2, next_at: at(3), delivered_at: at(4) }));
  });

  test(`${kind}: what waits or was given up can be made due at once, all of it or one message`, async (t) => {
    const { outbox } = await (await prepare(t)).open();
    await outbox.add([entry('a', { next_at: at(30) }), entry('b'), entry('c')]);
    await outbox.claim(['b', 'c'], claim('s', 0, 5));
    await outbox.settle('s', ['b'], { outcome: 'given-up', failure: 'f', at: at(1) });
    await outbox.settle('s', ['c'], { outcome: 'delivered', at: at(1) });
    t.is(await outbox.revive(['b', 'c'], at(2)), 1);
    t.deepEqual(
      (await outbox.due(at(2))).map(({ message }) => message),
      ['b'],
    );
    t.is(await outbox.revive(undefined, at(3)), 2);
    t.is((await outbox.due(at(3))).length, 2);
  });

  test(`${kind}: what was delivered or given up goes after a while, what waits stays`, async (t) => {
    const { outbox } = await (await prepare(t)).open();
    await outbox.add(['a', 'b', 'c', 'd'].map((key) => entry(key)));
    await outbox.claim(['a', 'b', 'c'], claim('s', 0, 5));
    await outbox.settle('s', ['a'], { outcome: 'delivered', at: at(1) });
    await outbox.settle('s', ['b'], { outcome: 'given-up', failure: 'f', at: at(1) });
    await outbox.settle('s', ['c'], { outcome: 'delivered', at: at(2) });
    await outbox.expire(at(2));
    t.deepEqual(keys(await all(outbox)), ['c', 'd']);
  });

  test(`${kind}: what waits is about a host by its present name, and goes with it`, async (t) => {
    const store = await (await prepare(t)).open();
    const { identity } = await enrolledHost(store, { hostname: 'before' });
    await store.outbox.add([
      entry('a', { hostname: 'before' }),
      entry('b', { hostname: 'before' }),
      entry('c', { hostname: 'another' }),
    ]);
    await store.outbox.claim(['b'], claim('s', 0, 5));
    await store.outbox.settle('s', ['b'], { outcome: 'delivered', at: at(1) });
    t.is(await store.hosts.rename({ id: identity.host_id, from: 'before', to: 'after' }, at(1)), 'renamed');
    const names = async () => (await all(store.outbox)).map(({ key, hostname }) => `${key} ${hostname}`);
    t.deepEqual(await names(), ['a after', 'b before', 'c another']);
    await store.hosts.forget('after', at(2));
    t.deepEqual(await names(), ['b before', 'c another']);
  });
});
