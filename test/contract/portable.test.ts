import { v7 } from 'uuid';
import type { HostId } from '../../src/core/host.ts';
import type { Fields } from '../../src/core/value.ts';
import { PIECE } from '../../src/store/order-records.ts';
import type { Store, StoredDocument } from '../../src/store/port.ts';
import { anEntry } from '../support/alerts.ts';
import { aCheckIn, anEnrollment, aReport, aToken, enrolledHost } from '../support/documents.ts';
import { anOrder, anOrderReport, aTarget, putContent } from '../support/orders.ts';
import { forEachStore, STORE_KINDS, temporaryPlace } from '../support/stores.ts';

const at = (hour: number) => new Date(Date.UTC(2026, 10, 23, hour, 0, 0, 7));

/** Something of everything, with all that is odd about it. */
async function fill(store: Store): Promise<void> {
  const odd: Fields = JSON.parse(
    '{"$where":1,"a.b":{"\\u0000":[]},"__proto__":{"x":null},"":0,"_bsontype":"x","$oid":"y"}',
  );
  const host = await enrolledHost(store, { hostname: 'full' });
  const report = aReport(host, {
    plugins: { odd, seen: { at: at(1), list: [1.5, -0.25, 2 ** 52, 'ü\0'] } },
    commands: { 'c.d': { output: 'x', submitted_at: at(2) } },
    checks: {
      version: 'v',
      evaluated_at: at(3),
      deadline_at: at(9),
      results: { disk: { answer: 'fail', fails: true, evidence: { 'plugins.$x': null }, reason: 'r', since: at(3) } },
    },
    trail: [{ hostname: 'full', audited_at: at(3), key: 'plugins.odd', type: 'change', old: null, new: odd }],
  });
  await store.hosts.storeReport(report);
  await store.hosts.checkIn(aCheckIn(report));
  await enrolledHost(store, { hostname: 'silent' });
  const lost = await enrolledHost(store, { hostname: 'lost' });
  await store.hosts.revokeKey(lost.key_id, at(4));
  await store.enrollments.revoke(lost.key_id, at(4), 'stolen');
  await store.enrollments.insert(anEnrollment({ conflict: 'v2', hostname: 'full' }));
  await store.hosts.storeV1({ hostname: 'old', at: at(5), plugins: { a: 1 }, trail: [] });
  await store.hosts.suspend('old', true);
  const token = aToken({ uses: 3, pattern: 'a*', note: 'n.$' });
  await store.tokens.insert(token);
  await store.tokens.use(token.hash, lost.key_id, at(5));
  await store.tokens.insert(aToken({ revoked_at: at(6), approve: false }));
  await store.issues.open('full', 'disk', at(6));
  await store.issues.markAlerted([{ hostname: 'full', name: 'disk' }], at(7));
  await store.issues.open('old', 'disk', at(6));
  await store.issues.close('old', 'disk', at(8));
  await store.outbox.add([
    anEntry({ hostname: 'full', remediation: 'do\nit', reason: 'n.$' }),
    anEntry({ hostname: 'old', channel: 'mail', receiver: 'a@example.org', severity: 'low' }),
    anEntry({ hostname: 'silent' }),
  ]);
  const sent = await store.outbox.claim([anEntry({ hostname: 'silent' }).message], {
    by: 'sender',
    at: anEntry().next_at,
    until: at(20),
  });
  await store.outbox.settle(
    'sender',
    sent.map(({ key }) => key),
    { outcome: 'delivered', at: at(13) },
  );
  await store.outbox.claim([anEntry({ hostname: 'full' }).message], { by: 'cut off', at: at(14), until: at(20) });
  await store.issues.openByHand('full', 'own', at(6));
  await store.issues.snooze({ names: ['own'] }, at(12), at(7));
  await store.issues.open('silent', 'disk', at(6));
  await store.issues.closeByHand({ hostnames: ['silent'] }, at(7));
  await store.parameters.set('full', 'user_email', ['a@b.example'], at(7));
  await store.parameters.set('full', 'user_clients', ['silent', 'old'], at(7));
  await store.parameters.set('old', 'user_email', ['x@b.example'], at(7));
  await store.parameters.set('old', 'user_email', null, at(8));
  await store.signatures.remember('0123', new Date(Date.UTC(2100, 0, 1)));
  await fillOrders(store, lost.identity.host_id);
  await fillPatches(store);
}

async function fillOrders({ orders }: Store, host_id: HostId): Promise<void> {
  const [named, other] = [aTarget({ host_id, hostname: 'lost' }), aTarget({ hostname: 'silent' })];
  const file = await putContent(orders, Buffer.alloc(PIECE + 3, 7));
  const order = anOrder({ files: [file], hosts: 2, not_before: at(13), why: '$x' });
  const release = anOrder({ kind: 'release', release: 3, hosts: null });
  await orders.insert(order, [named, other]);
  await orders.insert(release, [named]);
  await orders.markFetched([release.id], other, at(14));
  await orders.cancel(release.id, at(15));
  const stdout = { text: 'ü\0$', bytes: 4, truncated: false };
  await orders.report(host_id, anOrderReport(order.id, { number: 3, stdout, steps: ['$a'], exit_status: 0 }));
  await orders.addSignature(order.id, 'another\n', at(14));
  await orders.moveReceipts(host_id, null, { number: 4, hash: 'b'.repeat(64) });
  await orders.breakReceipts(other.host_id, at(16));
  await orders.putStatement({ kind: 'order-key', number: 1, document: { statement: { 'a.$': [null, 1.5] } } });
}

async function fillPatches({ patches }: Store): Promise<void> {
  const id = '6563a1b200000000000000a1';
  await patches.insert({
    id,
    files: [{ path: 'client/commands/look', mode: 0o700, content: 'Iw==' }],
    pending_hosts: ['a', 'b'],
    completed_hosts: [],
    cancelled_hosts: [],
    submitted_at: at(3),
    purpose: 'command',
    command: 'look',
    by: 'ann',
    why: '$why',
  });
  await patches.acknowledge(id, 'b');
  await patches.cancel(id);
}

/** What an original database may hold beside, in portable form. */
const ORIGINAL: StoredDocument[] = [
  {
    collection: 'clients',
    document: {
      hostname: 'original',
      submitted_at: at(1),
      plugins: { submitted_at: at(1), x: { $numberLong: '9007199254740993' } },
      owner: { ref: { $oid: '0123456789abcdef01234567' } },
      suspended: false,
    },
  },
  {
    collection: 'clients',
    document: { hostname: 'strange', plugins: 'unknown', submitted_at: 'never', identity: 1, checks: [] },
  },
  {
    collection: 'issues',
    document: { hostname: 'original', name: 'x', opened_at: at(2), extra: { $oid: '0123456789abcdef01234567' } },
  },
  {
    collection: 'issues',
    document: { hostname: 'original', name: 'x', opened_at: at(1), snoozed_at: at(2), closed_at: null },
  },
  { collection: 'issues', document: { about: 'what has neither host nor name' } },
  {
    collection: 'patches',
    document: {
      _id: { $oid: '65f0a1b2c3d4e5f6a7b8c9d0' },
      files: [{ path: 'x', mode: 0 }],
      pending_hosts: ['a'],
      completed_hosts: ['b', 'c'],
      by: 'somebody',
    },
  },
  {
    collection: 'client_parameters',
    document: {
      _id: { $oid: '75f0a1b2c3d4e5f6a7b8c9d0' },
      hostname: 'original',
      parameter: 'user',
      value: ['x', at(1)],
    },
  },
  {
    collection: 'audit_trail',
    document: { hostname: 'original', audited_at: at(1), key: 'k', action: 'delete', old: 1, by: 'x' },
  },
];

async function everything(store: Store): Promise<StoredDocument[]> {
  const found: StoredDocument[] = [];
  for await (const document of store.upkeep.export()) found.push(document);
  const text = ({ collection, document }: StoredDocument) =>
    collection + JSON.stringify(Object.entries(document).sort());
  return found.sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

async function* each(documents: StoredDocument[]): AsyncGenerator<StoredDocument> {
  yield* documents;
}

forEachStore((kind, test, prepare) => {
  for (const target of STORE_KINDS) {
    test(`${kind}: what it exports is equal after an import into ${target}, and back`, async (t) => {
      const store = await (await prepare(t)).open();
      await fill(store);
      const filled = await everything(store);
      await store.upkeep.import(each([...filled, ...ORIGINAL]), v7());
      const first = await everything(store);
      t.is(first.length, filled.length + ORIGINAL.length);
      for (const original of ORIGINAL) {
        t.true(
          first.some((found) => isSame(found, original)),
          JSON.stringify(original),
        );
      }
      for (const document of filled)
        t.true(
          first.some((found) => isSame(found, document)),
          JSON.stringify(document),
        );

      const other = await (await temporaryPlace(t, target)).open();
      await other.upkeep.import(each(first), v7());
      t.deepEqual(await everything(other), first);
      for (const name of ['full', 'silent', 'lost', 'old', 'original', 'strange']) {
        t.deepEqual(await other.hosts.find(name), await store.hosts.find(name), name);
      }
      t.deepEqual(await other.enrollments.list(), await store.enrollments.list());
      t.deepEqual(await other.tokens.list(), await store.tokens.list());
      t.is((await other.outbox.due(at(14))).length, 2, 'a claim is not carried over: who had it is not there');
      t.deepEqual(await other.patches.pendingFor('a'), await store.patches.pendingFor('a'));
      t.deepEqual(await other.parameters.list(), await store.parameters.list());
      t.is((await other.parameters.list()).length, 4);
      t.deepEqual(await other.issues.listHeld(), await store.issues.listHeld());
      t.false(await other.issues.open('silent', 'disk', at(9), at(6)), 'an operator closed it');
      t.false(await other.signatures.remember('0123', new Date(Date.UTC(2101, 0, 1))));
      t.false(await other.issues.open('original', 'x', at(9)), 'it is open already');

      await store.upkeep.import(each(await everything(other)), v7());
      t.deepEqual(await everything(store), first);
    });
  }
});

/** Whatever the order of keys. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.entries(value)
    .sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([key, member]) => [key, sorted(member)]);
}
