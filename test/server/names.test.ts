import type { ExecutionContext } from 'ava';
import { identityOf } from '../../src/core/enrollment.ts';
import type { Store } from '../../src/store/port.ts';
import { httpRequest } from '../support/http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { forEachStore } from '../support/stores.ts';
import { FORM, fleetKey, v1Form } from '../support/v1-client.ts';
import { enrolledClient, makeToken, v2Client } from '../support/v2-client.ts';

const REPORT = { 'plugins.os_info': { distname: 'Debian', version: '12' } };
const LATER = { 'plugins.os_info': { distname: 'Debian', version: '13' } };
const as = (hostname: string) => ({ quiet: true, extra: { hostname } });

async function openIssues(store: Store): Promise<string[]> {
  const names: string[] = [];
  for await (const { hostname, name } of store.issues.listOpen()) names.push(`${hostname} ${name}`);
  return names;
}

forEachStore((kind, test, prepare) => {
  async function started(t: ExecutionContext): Promise<{ server: TestServer; store: Store }> {
    const store = await (await prepare(t)).open();
    const server = await startTestServer(t, {
      store,
      settings: { v1: { enabled: true } },
      v1Keys: fleetKey.publicKey,
    });
    return { store, server };
  }

  const submitV1 = async (server: TestServer, hostname: string, value: number) =>
    (
      await httpRequest(`${server.url}/penguindome/v1/submit`, {
        method: 'POST',
        headers: FORM,
        body: await v1Form({ hostname, plugins: { a: value } }),
      })
    ).status;

  test(`${kind}: a second key under a host's name in another case waits, and the issue is the host's`, async (t) => {
    const { server, store } = await started(t);
    const first = await enrolledClient(server, 'Laptop7');
    const second = v2Client({ ...server, hostname: 'laptop7' });
    const answer = await second.enroll(await makeToken(store));
    const host = await store.hosts.findByKey(first.key.id);
    t.deepEqual([answer.json['status'], String(answer.json['host_id'])], ['pending', String(host?.identity.host_id)]);
    t.like(await store.enrollments.find(second.key.id), { hostname: 'laptop7', conflict: 'v2' });
    t.deepEqual(await openIssues(store), ['Laptop7 duplicate-hostname']);
    t.is((await second.submit(REPORT)).json['error'], 'pending');
    t.is(await store.hosts.count(), 1);
  });

  test(`${kind}: a key under the name of a v1 host in another case waits`, async (t) => {
    const { server, store } = await started(t);
    t.is(await submitV1(server, 'Laptop7', 1), 200);
    const client = v2Client({ ...server, hostname: 'laptop7' });
    t.is((await client.enroll(await makeToken(store))).json['status'], 'pending');
    t.like(await store.enrollments.find(client.key.id), { conflict: 'v1' });
    t.is(await submitV1(server, 'Laptop7', 2), 200, 'v1 goes on until an operator lets it in');
  });

  test(`${kind}: an enrolment that comes again may spell its name otherwise`, async (t) => {
    const { server, store } = await started(t);
    const client = v2Client({ ...server, hostname: 'Laptop7' });
    const token = await makeToken(store, { pattern: 'LAPTOP*', uses: 1 });
    const first = await client.enroll(token);
    const again = await client.enroll(token, { hostname: 'laptop7' });
    t.deepEqual([again.status, again.json['host_id']], [200, first.json['host_id']]);
    t.is((await client.enroll(token, { hostname: 'laptop8' })).json['error'], 'token-refused');
  });

  test(`${kind}: a host that spells its own name otherwise gets it so, with its history, and contests nothing`, async (t) => {
    const { server, store } = await started(t);
    const client = await enrolledClient(server, 'Laptop7');
    await client.submit(REPORT);
    await client.submit(LATER);
    t.is((await client.submit(LATER, as('laptop7'))).status, 200);
    t.is((await store.hosts.findByKey(client.key.id))?.hostname, 'laptop7');
    t.is((await store.trail.history('laptop7', { limit: 5 })).length, 1);
    t.is(await store.hosts.count(), 1);
    t.like(server.events('host.renamed'), [{ host: 'laptop7', was: 'Laptop7' }]);
    t.like(server.identities.at(-1), { event: 'renamed', hostname: 'laptop7', why: 'was Laptop7' });
    t.deepEqual(await openIssues(store), []);
    t.is((await client.submit(LATER, as('laptop7'))).status, 200);
    t.is(server.events('host.renamed').length, 1);
  });

  test(`${kind}: another spelling of its name does not end the issue while another machine waits for it`, async (t) => {
    const { server, store } = await started(t);
    const client = await enrolledClient(server, 'Laptop7');
    await client.submit(REPORT);
    await v2Client({ ...server, hostname: 'LAPTOP7' }).enroll(await makeToken(store));
    t.is((await client.submit(REPORT, as('laptop7'))).status, 200);
    t.deepEqual(await openIssues(store), ['laptop7 duplicate-hostname']);
    await enrolledClient(server, 'desk');
    t.is((await client.submit(REPORT, as('desk'))).status, 200);
    t.is((await client.submit(REPORT, as('Laptop7'))).status, 200);
    t.deepEqual(await openIssues(store), ['Laptop7 duplicate-hostname']);
    t.is((await store.hosts.find('Laptop7'))?.identity?.claimed_hostname, undefined);
  });

  test(`${kind}: what a host claimed in vain is over once it reports its own name in another case`, async (t) => {
    const { server, store } = await started(t);
    const client = await enrolledClient(server, 'Laptop7');
    await enrolledClient(server, 'Desk');
    await client.submit(REPORT);
    t.is((await client.submit(REPORT, as('DESK'))).status, 200);
    t.is((await store.hosts.find('Laptop7'))?.identity?.claimed_hostname, 'DESK');
    t.deepEqual(await openIssues(store), ['Laptop7 duplicate-hostname']);
    t.is((await client.submit(REPORT, as('laptop7'))).status, 200);
    t.deepEqual(await openIssues(store), []);
    t.is((await store.hosts.find('laptop7'))?.identity?.claimed_hostname, undefined);
  });

  test(`${kind}: its own name in another case is its own, whatever the pattern of its token says`, async (t) => {
    const { server, store } = await started(t);
    const client = v2Client({ ...server, hostname: 'Laptop7' });
    await client.enroll(await makeToken(store, { approve: false, pattern: 'desk-*' }), { hostname: 'desk-1' });
    const enrollment = (await store.enrollments.find(client.key.id)) ?? t.fail();
    await store.hosts.attach('Laptop7', identityOf(enrollment, new Date()), { adopt: false });
    t.is((await client.submit(REPORT, { extra: { hostname: 'laptop7' } })).status, 200);
    t.is((await store.hosts.findByKey(client.key.id))?.hostname, 'laptop7');
  });

  test(`${kind}: v1 cannot speak for a v2 host by spelling its name otherwise`, async (t) => {
    const { server, store } = await started(t);
    const client = await enrolledClient(server, 'Laptop7');
    await client.submit(REPORT);
    t.is(await submitV1(server, 'LAPTOP7', 1), 403);
    t.is(await submitV1(server, 'laptop7', 1), 403);
    t.deepEqual(await openIssues(store), ['Laptop7 downgraded-identity']);
    t.is(await store.hosts.count(), 1);
    t.is(await submitV1(server, 'laptop8', 1), 200);
  });

  test(`${kind}: hosts of v1 whose names differ in case only report side by side`, async (t) => {
    const { server, store } = await started(t);
    for (const [value, name] of ['Laptop7', 'laptop7', 'Laptop7'].entries())
      t.is(await submitV1(server, name, value), 200);
    t.is((await store.hosts.find('Laptop7'))?.plugins?.['a'], 2);
    t.is((await store.hosts.find('laptop7'))?.plugins?.['a'], 1);
    t.is((await store.trail.history('Laptop7', { limit: 5 })).length, 1);
    t.is((await store.trail.history('laptop7', { limit: 5 })).length, 0);
  });
});
