import { v7 } from 'uuid';
import type { HostId } from '../../src/core/host.ts';
import type { Store, StoredDocument } from '../../src/store/port.ts';
import { aCheckIn, anEnrollment, aReport, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

const AT = new Date('2026-11-23T12:00:00.001Z');
const PATCH = '0123456789abcdef01234567';

async function* patchAndParameter(hostname: string): AsyncGenerator<StoredDocument> {
  const _id = { $oid: PATCH };
  const document = { _id, files: [], pending_hosts: [hostname, 'b'], completed_hosts: ['c'] };
  yield { collection: 'patches', document };
  yield { collection: 'client_parameters', document: { hostname, parameter: 'room', value: '7' } };
  yield { collection: 'client_parameters', document: { hostname: 'b', parameter: 'room', value: '8' } };
}

async function parametersOf(store: Store): Promise<unknown[]> {
  const found = [];
  for await (const { collection, document } of store.upkeep.export()) {
    if (collection === 'client_parameters') found.push(`${document['hostname']} ${document['value']}`);
  }
  return found.sort();
}

async function openIssues(store: Store): Promise<string[]> {
  const names: string[] = [];
  for await (const { hostname, name } of store.issues.listOpen()) names.push(`${hostname} ${name}`);
  return names;
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: a renamed host takes history, issues, parameters and patches along`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.upkeep.import(patchAndParameter('a'), v7());
    const host = await enrolledHost(store, { hostname: 'a' });
    const report = aReport(host);
    await store.hosts.storeReport(report);
    await store.issues.open('a', 'disk', AT);
    await store.issues.open('a', 'old', AT);
    await store.issues.close('a', 'old', AT);
    await store.hosts.claim({ id: host.identity.host_id, hostname: 'a' }, 'z');
    const before = await store.hosts.find('a');
    const { claimed_hostname, ...identity } = before?.identity ?? t.fail();
    t.is(claimed_hostname, 'z');
    t.is(await store.hosts.rename({ id: host.identity.host_id, from: 'a', to: 'n' }, AT), 'renamed');
    t.is(await store.hosts.find('a'), undefined);
    t.deepEqual(await store.hosts.find('n'), { ...before, hostname: 'n', identity });
    t.is((await store.hosts.findByKey(host.key_id))?.hostname, 'n');
    t.deepEqual(
      await store.trail.history('n', { limit: 5 }),
      report.trail.map((record) => ({ ...record, hostname: 'n' })),
    );
    t.deepEqual(await store.trail.history('a', { limit: 5 }), []);
    t.deepEqual(await openIssues(store), ['n disk']);
    t.deepEqual((await store.issues.history({ hostnames: ['n'], limit: 5 })).map(({ name }) => name).sort(), [
      'disk',
      'old',
    ]);
    t.deepEqual(
      (await store.patches.pendingFor('n')).map(({ id }) => id),
      [PATCH],
    );
    t.deepEqual(await store.patches.pendingFor('a'), []);
    t.is((await store.patches.pendingFor('b')).length, 1);
    t.deepEqual(await parametersOf(store), ['b 8', 'n 7']);
    t.true(await store.hosts.checkIn(aCheckIn(report, { hostname: 'n' })));
  });

  test(`${kind}: a name that another host has, or once had by approval, is not given`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store, { hostname: 'a' });
    const rename = (to: string) => store.hosts.rename({ id: host.identity.host_id, from: 'a', to }, AT);
    await enrolledHost(store, { hostname: 'v2' });
    await store.hosts.storeV1({ hostname: 'v1', at: AT, plugins: { a: 1 }, trail: [] });
    await enrolledHost(store, { hostname: 'gone' });
    await store.hosts.forget('gone', AT);
    const moved = await enrolledHost(store, { hostname: 'former' });
    t.is(await store.hosts.rename({ id: moved.identity.host_id, from: 'former', to: 'now' }, AT), 'renamed');
    for (const name of ['v2', 'v1', 'gone', 'former', 'now']) t.is(await rename(name), 'taken', name);
    await store.enrollments.insert(anEnrollment({ hostname: 'asked-for' }));
    t.is((await store.hosts.find('a'))?.identity?.host_id, host.identity.host_id);
    t.is(await rename('asked-for'), 'renamed', 'who was not let in yet keeps nobody out');
  });

  test(`${kind}: a renaming is of the host that was meant`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store, { hostname: 'a' });
    const { host_id: id } = host.identity;
    t.is(await store.hosts.rename({ id: v7() as HostId, from: 'a', to: 'n' }, AT), 'changed');
    t.is(await store.hosts.rename({ id, from: 'b', to: 'n' }, AT), 'changed');
    t.false(await store.hosts.claim({ id, hostname: 'b' }, 'z'));
    t.deepEqual((await store.hosts.find('a'))?.identity, host.identity);
  });

  test(`${kind}: a host may go back to a name of its own; v1 gets neither of them`, async (t) => {
    const store = await (await prepare(t)).open();
    const { identity, key_id } = await enrolledHost(store, { hostname: 'a' });
    const { host_id: id } = identity;
    const former = async () => (await store.enrollments.find(key_id))?.former_hostnames;
    t.is(await store.hosts.rename({ id, from: 'a', to: 'b' }, AT), 'renamed');
    t.is(await store.hosts.rename({ id, from: 'b', to: 'c' }, AT), 'renamed');
    t.deepEqual((await former())?.sort(), ['a', 'b']);
    t.is(await store.hosts.rename({ id, from: 'c', to: 'a' }, AT), 'renamed');
    t.deepEqual((await former())?.sort(), ['b', 'c']);
    t.is((await store.enrollments.find(key_id))?.hostname, 'a');
    await store.hosts.forget('a', AT);
    for (const hostname of ['a', 'b', 'c']) {
      t.true(await store.enrollments.everApproved(hostname), hostname);
      t.false(await store.hosts.storeV1({ hostname, at: AT, plugins: { a: 1 }, trail: [] }), hostname);
    }
    t.false(await store.enrollments.everApproved('d'));
  });

  test(`${kind}: of a problem that is open under both names one episode stays open`, async (t) => {
    const store = await (await prepare(t)).open();
    const { identity } = await enrolledHost(store, { hostname: 'a' });
    await store.issues.open('a', 'disk', AT);
    await store.issues.open('n', 'disk', AT);
    t.is(await store.hosts.rename({ id: identity.host_id, from: 'a', to: 'n' }, AT), 'renamed');
    t.deepEqual(await openIssues(store), ['n disk']);
    t.is((await store.issues.history({ hostnames: ['n'], limit: 5 })).length, 2);
  });

  test(`${kind}: no report is stored under a name that the host no longer has`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store, { hostname: 'a' });
    const report = aReport(host);
    await store.hosts.storeReport(report);
    const { host_id: id } = host.identity;
    await store.hosts.rename({ id, from: 'a', to: 'n' }, AT);
    t.false(await store.hosts.checkIn(aCheckIn(report)));
    const next = aReport(host, { sequence: report.sequence + 1, expected_chain: report.answer.chain });
    t.false(await store.hosts.storeReport(next));
    t.is((await store.trail.history('a', { limit: 5 })).length, 0);
    t.true(await store.hosts.claim({ id, hostname: 'n' }, 'z'));
    t.false(await store.hosts.checkIn(aCheckIn(report, { hostname: 'n' })));
    t.true(await store.hosts.checkIn(aCheckIn(report, { hostname: 'n', claimed_hostname: 'z' })));
    t.true(await store.hosts.claim({ id, hostname: 'n' }, null));
    t.is((await store.hosts.find('n'))?.identity?.claimed_hostname, undefined);
  });

  test(`${kind}: of two hosts that want one name, one gets it`, async (t) => {
    const store = await (await prepare(t)).open();
    const hosts = await Promise.all(['a', 'b', 'c'].map((hostname) => enrolledHost(store, { hostname })));
    const outcomes = await Promise.all(
      hosts.map(({ hostname, identity }) => store.hosts.rename({ id: identity.host_id, from: hostname, to: 'n' }, AT)),
    );
    t.deepEqual(outcomes.sort(), ['renamed', 'taken', 'taken']);
    t.is(await store.hosts.count(), 3);
  });
});
