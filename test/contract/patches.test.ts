import type { PatchRecord } from '../../src/core/patch.ts';
import { forEachStore } from '../support/stores.ts';

const submitted_at = new Date('2026-11-23T12:00:00.123Z');
const ID = { first: '6563a1b200000000000000a1', second: '6563a1b300000000000000a2' };

function aPatch(changes: Partial<PatchRecord> = {}): PatchRecord {
  return {
    id: ID.first,
    files: [
      { path: 'client/plugins/x.py', mode: 0o755, content: 'eA==' },
      { path: 'signatures/client/plugins/x.py.sig', mode: 0o644, content: 'c2ln' },
    ],
    pending_hosts: ['a', 'b'],
    completed_hosts: [],
    cancelled_hosts: [],
    submitted_at,
    purpose: 'patch',
    by: 'fred',
    why: 'a $better.plugin',
    ...changes,
  };
}

const told = ({ files, ...rest }: PatchRecord) => ({ ...rest, files: files.map(({ path, mode }) => ({ path, mode })) });

forEachStore((kind, test, prepare) => {
  test(`${kind}: a patch that is put in is pending for its hosts, and found as it was told of`, async (t) => {
    const store = await (await prepare(t)).open();
    t.true(await store.patches.insert(aPatch()));
    t.deepEqual(await store.patches.find(ID.first), aPatch());
    const [pending, ...more] = await store.patches.pendingFor('b');
    t.deepEqual(more, []);
    t.deepEqual([pending?.id, pending?.files], [ID.first, aPatch().files]);
    t.is(await store.patches.find('0'.repeat(24)), undefined);
    t.is(await store.patches.find('no id'), undefined);
  });

  test(`${kind}: a patch whose id is there already changes nothing`, async (t) => {
    const store = await (await prepare(t)).open();
    t.true(await store.patches.insert(aPatch()));
    t.false(await store.patches.insert(aPatch({ pending_hosts: ['c'], why: 'another' })));
    t.deepEqual(await store.patches.find(ID.first), aPatch());
    t.deepEqual(await store.patches.pendingFor('c'), []);
  });

  test(`${kind}: patches are listed newest first, without what their files hold, and by a path that they touch`, async (t) => {
    const store = await (await prepare(t)).open();
    const second = aPatch({
      id: ID.second,
      files: [{ path: 'client/commands/look', mode: 0o700, content: 'Iw==' }],
      purpose: 'command',
      command: 'look',
    });
    for (const patch of [aPatch(), second]) await store.patches.insert(patch);
    const listed = async (filter?: { path?: string; limit?: number }) => {
      const found: PatchRecord[] = [];
      for await (const patch of store.patches.list(filter)) found.push(patch);
      return found;
    };
    t.deepEqual(await listed(), [told(second), told(aPatch())]);
    t.deepEqual(await listed({ limit: 1 }), [told(second)]);
    t.deepEqual(await listed({ path: 'client/plugins/x.py' }), [told(aPatch())]);
    t.deepEqual(await listed({ path: 'client/plugins' }), []);
  });

  test(`${kind}: a cancelled patch is given to nobody any more, and tells who lacked it`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.patches.insert(aPatch());
    await store.patches.acknowledge(ID.first, 'a');
    t.deepEqual(await store.patches.cancel(ID.first), ['b']);
    t.deepEqual(await store.patches.pendingFor('b'), []);
    const cancelled = aPatch({ pending_hosts: [], completed_hosts: ['a'], cancelled_hosts: ['b'] });
    t.deepEqual(await store.patches.find(ID.first), cancelled);
    t.deepEqual(await store.patches.cancel(ID.first), [], 'again changes nothing');
    t.deepEqual(await store.patches.find(ID.first), cancelled);
    t.true(await store.patches.acknowledge(ID.first, 'b'), 'a host that was under way with it');
    t.deepEqual(await store.patches.find(ID.first), aPatch({ pending_hosts: [], completed_hosts: ['a', 'b'] }));
    t.is(await store.patches.cancel('0'.repeat(24)), undefined);
  });

  test(`${kind}: a patch of the original's is told of by the second in its id`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const { epoch } = await store.state();
    await store.upkeep.import(
      (async function* () {
        yield {
          collection: 'patches',
          document: {
            _id: { $oid: ID.first },
            files: [{ path: 'client/old', mode: 0 }],
            pending_hosts: ['a'],
            completed_hosts: [],
          },
        };
      })(),
      epoch,
    );
    t.deepEqual(await store.patches.find(ID.first), {
      id: ID.first,
      files: [{ path: 'client/old', mode: 0 }],
      pending_hosts: ['a'],
      completed_hosts: [],
      cancelled_hosts: [],
      submitted_at: new Date(0x6563a1b2 * 1000),
    });
    for await (const { id } of store.patches.list({ path: 'client/old' })) t.is(id, ID.first);
    t.plan(2);
  });
});
