import { v7 } from 'uuid';
import type { Store, StoredDocument } from '../../src/store/port.ts';
import { enrolledHost } from '../support/documents.ts';
import { forEachStore, withDatabase } from '../support/stores.ts';

const at = (hour: number) => new Date(Date.UTC(2026, 10, 23, hour, 0, 0, 7));

async function links(store: Store): Promise<Record<string, string>> {
  const found = await store.parameters.list({ parameters: ['user_clients'] });
  return Object.fromEntries(found.map(({ hostname, value }) => [hostname, value.join(' ')]));
}

async function everything(store: Store): Promise<StoredDocument[]> {
  const found: StoredDocument[] = [];
  for await (const document of store.upkeep.export()) found.push(document);
  return found;
}

async function* each(documents: StoredDocument[]): AsyncGenerator<StoredDocument> {
  yield* documents;
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: a parameter is set, changed and unset, and tells what it was`, async (t) => {
    const store = await (await prepare(t)).open();
    const set = (value: string[] | null, hour: number) => store.parameters.set('a', 'user_email', value, at(hour));
    t.is(await set(['x@y.example'], 1), null);
    t.deepEqual(await set(['z@y.example'], 2), ['x@y.example']);
    await store.parameters.set('b', 'user_email', ['b@y.example'], at(2));
    t.deepEqual(await store.parameters.list(), [
      { hostname: 'a', parameter: 'user_email', value: ['z@y.example'] },
      { hostname: 'b', parameter: 'user_email', value: ['b@y.example'] },
    ]);
    t.is((await store.parameters.list({ hostnames: ['b', 'c'] })).length, 1);
    t.deepEqual(await store.parameters.list({ parameters: ['user_clients'] }), []);
    t.deepEqual(await set(null, 3), ['z@y.example']);
    t.is(await set(null, 4), null);
    t.is((await store.parameters.list()).length, 1);
    t.is(await set(['x@y.example'], 5), null);
  });

  test(`${kind}: links are mutual, and a host is in one group`, async (t) => {
    const store = await (await prepare(t)).open();
    const link = (hostname: string, value: string[] | null) =>
      store.parameters.set(hostname, 'user_clients', value, at(1));
    t.is(await link('a', ['c', 'b']), null);
    t.deepEqual(await links(store), { a: 'b c', b: 'a c', c: 'a b' });
    t.is(await link('d', ['e']), null);
    t.deepEqual(await link('b', ['d']), ['a', 'c'], 'it leaves its group, and takes d out of its own');
    t.deepEqual(await links(store), { a: 'c', b: 'd', c: 'a', d: 'b' });
    t.deepEqual(await link('a', null), ['c']);
    t.deepEqual(await links(store), { b: 'd', d: 'b' });
    t.deepEqual(await link('d', ['b']), ['b']);
    t.deepEqual(await links(store), { b: 'd', d: 'b' });
  });

  test(`${kind}: links and addresses go with a host that is renamed, and go when it is forgotten`, async (t) => {
    const store = await (await prepare(t)).open();
    const { identity } = await enrolledHost(store, { hostname: 'a' });
    await store.parameters.set('a', 'user_clients', ['b', 'c'], at(1));
    await store.parameters.set('a', 'user_email', ['a@y.example'], at(1));
    await store.parameters.set('n', 'user_email', ['stale@y.example'], at(1));
    t.is(await store.hosts.rename({ id: identity.host_id, from: 'a', to: 'n' }, at(2)), 'renamed');
    t.deepEqual(await links(store), { b: 'c n', c: 'b n', n: 'b c' });
    const [email] = await store.parameters.list({ hostnames: ['n'], parameters: ['user_email'] });
    t.deepEqual(email?.value, ['a@y.example']);
    t.true(await store.hosts.forget('n', at(3)));
    t.deepEqual(await links(store), { b: 'c', c: 'b' });
    t.deepEqual(await store.parameters.list({ parameters: ['user_email'] }), []);
  });

  test(`${kind}: an original database's parameters are read and changed as they are; a backup carries ours`, async (t) => {
    const store = await (await prepare(t)).open();
    const original = (hostname: string, parameter: string, value: string[] | null): StoredDocument => ({
      collection: 'client_parameters',
      document: { _id: { $oid: v7().replaceAll('-', '').slice(8) }, hostname, parameter, value, updated_at: at(1) },
    });
    const documents = [
      original('a', 'user_clients', ['b']),
      original('b', 'user_clients', ['a']),
      original('a', 'user_email', ['a@y.example']),
      original('b', 'user_email', null),
      original('a', 'room', ['7']),
    ];
    await store.upkeep.import(each(documents), v7());
    t.is((await store.parameters.list()).length, 3, 'what is unset, or of a name that nobody knows, is not shown');
    await store.parameters.set('b', 'user_email', ['b@y.example'], at(2));
    await store.parameters.set('c', 'user_email', ['c@y.example'], at(2));
    await store.parameters.set('a', 'user_clients', null, at(2));
    const kept = (await everything(store)).filter(({ collection }) => collection === 'client_parameters');
    t.is(kept.length, 6);
    const find = (hostname: string, parameter: string) =>
      kept
        .map(({ document }) => document)
        .find((each) => each['hostname'] === hostname && each['parameter'] === parameter);
    t.like(find('b', 'user_email'), { value: ['b@y.example'], updated_at: at(2) });
    t.like(find('b', 'user_clients'), { value: null, updated_at: at(2) });
    t.like(find('c', 'user_email'), { value: ['c@y.example'], updated_at: at(2) });
    await store.upkeep.import(each(kept), v7());
    t.deepEqual(
      (await store.parameters.list()).map(({ hostname, value }) => `${hostname} ${value}`),
      ['a a@y.example', 'b b@y.example', 'c c@y.example'],
    );
  });

  test(`${kind}: many who link at once leave mutual links`, async (t) => {
    const store = await (await prepare(t)).open();
    const link = (hostname: string, value: string[]) => store.parameters.set(hostname, 'user_clients', value, at(1));
    await Promise.all([link('a', ['b']), link('c', ['d']), link('e', ['f'])]);
    t.deepEqual(await links(store), { a: 'b', b: 'a', c: 'd', d: 'c', e: 'f', f: 'e' });
  });

  if (kind.startsWith('mongo')) {
    test(`${kind}: a linking that a crash cut short is finished by whoever comes next`, async (t) => {
      const place = await prepare(t);
      const store = await place.open();
      await store.parameters.set('a', 'user_clients', ['b'], at(1));
      await withDatabase(place.mongo ?? t.fail(), async (db) => {
        const parameters = db.collection('client_parameters');
        // As it is left when the process ends right after the note, or in the midst of the others' documents.
        for (const half of [false, true]) {
          const linking = { value: half ? ['d'] : ['c'], at: at(2) };
          await parameters.updateOne({ hostname: 'a', parameter: 'user_clients' }, { $set: { linking } });
          if (half)
            await parameters.insertOne({ hostname: 'd', parameter: 'user_clients', value: ['a'], updated_at: at(2) });
          t.deepEqual(await links(store), half ? { a: 'd', d: 'a' } : { a: 'c', c: 'a' });
          t.is(await parameters.countDocuments({ linking: { $exists: true } }), 0);
        }
      });
    });
  }

  test(`${kind}: hosts that are gone are taken out of what is pending`, async (t) => {
    const store = await (await prepare(t)).open();
    t.deepEqual(await store.patches.pendingHosts(), []);
    const patch = (id: string, pending_hosts: string[], completed_hosts: string[]): StoredDocument => ({
      collection: 'patches',
      document: { _id: { $oid: id }, files: [], pending_hosts, completed_hosts },
    });
    const [one, two] = ['0123456789abcdef01234567', '0123456789abcdef01234568'];
    await store.upkeep.import(each([patch(one, ['b', 'gone', 'a'], ['old']), patch(two, ['b', 'gone'], [])]), v7());
    for (const hostname of ['a', 'b', 'c']) await store.hosts.storeV1({ hostname, at: at(1), plugins: {}, trail: [] });
    t.deepEqual(await store.patches.pendingHosts(), ['a', 'b']);
    t.deepEqual(await store.patches.pendingFor('gone'), []);
    t.deepEqual((await store.patches.pendingFor('a'))[0]?.completed_hosts, ['old']);
    await store.patches.acknowledge(one, 'a');
    t.deepEqual(await store.patches.pendingHosts(), ['b']);
  });
});
