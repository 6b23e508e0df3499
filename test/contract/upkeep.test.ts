import { v7 } from 'uuid';
import type { StoredDocument } from '../../src/store/port.ts';
import { enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';
import { standingClock } from '../support/world.ts';

const PATCH = '65f0a1b2c3d4e5f6a7b8c9d0';

async function* patches(): AsyncGenerator<StoredDocument> {
  yield {
    collection: 'patches',
    document: {
      _id: { $oid: PATCH },
      files: [
        { path: 'plugins/x.py', mode: 0o755, content: 'eA==' },
        { path: 'old', mode: 0 },
      ],
      pending_hosts: ['a', 'b'],
      completed_hosts: ['c'],
      made_by: 'somebody',
    },
  };
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: a store has an epoch that stays, and a mark of maintenance that comes and goes`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const { epoch } = await store.state();
    t.regex(epoch, /^[0-9a-f-]{36}$/);
    const since = new Date('2026-11-23T12:00:00.001Z');
    await store.upkeep.setMaintenance(since);
    t.deepEqual(await (await place.open()).state(), { epoch, maintenance_since: since });
    await store.upkeep.setMaintenance(undefined);
    t.deepEqual(await (await place.open()).state(), { epoch });
  });

  test(`${kind}: a patch is pending for a host until the host has it`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.upkeep.import(patches(), v7());
    const patch = {
      id: PATCH,
      files: [
        { path: 'plugins/x.py', mode: 0o755, content: 'eA==' },
        { path: 'old', mode: 0 },
      ],
    };
    t.deepEqual(await store.patches.pendingFor('a'), [{ ...patch, pending_hosts: ['a', 'b'], completed_hosts: ['c'] }]);
    t.deepEqual(await store.patches.pendingFor('c'), []);
    t.true(await store.patches.acknowledge(PATCH, 'a'));
    t.true(await store.patches.acknowledge(PATCH, 'a'), 'twice is harmless');
    t.true(await store.patches.acknowledge(PATCH, 'nobody'), 'and who never had it pending changes nothing');
    t.deepEqual(await store.patches.pendingFor('a'), []);
    t.deepEqual(await store.patches.pendingFor('b'), [{ ...patch, pending_hosts: ['b'], completed_hosts: ['c', 'a'] }]);
    t.false(await store.patches.acknowledge('0'.repeat(24), 'b'));
    t.false(await store.patches.acknowledge('no id', 'b'));
  });

  test(`${kind}: a forgotten host has no patches pending`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.upkeep.import(patches(), v7());
    await enrolledHost(store, { hostname: 'b' });
    await store.hosts.forget('b', new Date());
    t.deepEqual(await store.patches.pendingFor('b'), []);
  });

  test(`${kind}: a signature is remembered until it expires`, async (t) => {
    const clock = standingClock(new Date());
    const later = (ms: number) => new Date(clock.now().getTime() + ms);
    const store = await (await prepare(t)).open({ clock });
    t.false(await store.signatures.knows('one'));
    t.true(await store.signatures.remember('one', later(1000)));
    t.true(await store.signatures.knows('one'));
    t.false(await store.signatures.remember('one', later(1000)));
    t.true(await store.signatures.remember('two', later(5000)));
    clock.set(later(1000));
    t.false(await store.signatures.knows('one'));
    t.true(await store.signatures.remember('one', later(1000)), 'the first has expired');
    t.false(await store.signatures.remember('one', later(1000)));
    await store.upkeep.expire(later(1000));
    t.true(await store.signatures.remember('one', later(9000)), 'it was removed');
    t.true(await store.signatures.knows('two'), 'it has not expired');
  });

  test(`${kind}: an import that fails midway says so, and a later one replaces what it left`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.hosts.storeV1({ hostname: 'before', at: new Date(), plugins: {}, trail: [] });
    async function* broken(): AsyncGenerator<StoredDocument> {
      yield { collection: 'clients', document: { hostname: 'half' } };
      throw new Error('cut off');
    }
    const { epoch } = await store.state();
    await t.throwsAsync(store.upkeep.import(broken(), v7()), { message: 'cut off' });
    t.is((await store.state()).epoch, epoch);
    if (kind.startsWith('embedded')) {
      t.truthy(await store.hosts.find('before'));
      t.is(await store.hosts.find('half'), undefined);
    }
    const next = v7();
    await store.upkeep.import(patches(), next);
    t.is(await store.hosts.count(), 0);
    t.deepEqual(await store.state(), { epoch: next });
    t.is((await store.patches.pendingFor('a')).length, 1);
  });

  if (kind === 'mongo standalone') {
    test(`${kind}: an export says that it shows each document by itself`, async (t) => {
      t.false((await (await prepare(t)).open()).upkeep.consistent);
    });
    return;
  }

  test(`${kind}: an export shows one moment, whatever is written meanwhile`, async (t) => {
    const store = await (await prepare(t)).open();
    t.true(store.upkeep.consistent);
    const write = (hostname: string, n: number) =>
      store.hosts.storeV1({
        hostname,
        at: new Date(n),
        plugins: { n },
        trail: [{ hostname, audited_at: new Date(n), key: 'plugins.n', type: 'change', new: n }],
      });
    for (const name of ['a', 'b', 'c']) await write(name, 1);
    const seen: string[] = [];
    for await (const { collection, document } of store.upkeep.export()) {
      if (seen.length === 0) for (const name of ['a', 'b', 'c', 'd']) await write(name, 2);
      seen.push(`${collection} ${document['hostname']} ${document['new'] ?? Object(document['plugins']).n}`);
    }
    t.deepEqual(seen.sort(), [
      ...['a', 'b', 'c'].map((name) => `audit_trail ${name} 1`),
      ...['a', 'b', 'c'].map((name) => `clients ${name} 1`),
    ]);
  });
});
