import type { ExecutionContext } from 'ava';
import type { Store } from '../../src/store/port.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { forEachStore } from '../support/stores.ts';
import { enrolledClient, makeToken, type V2Client, v2Client } from '../support/v2-client.ts';

const REPORT = { 'plugins.os_info': { distname: 'Debian', version: '12' } };
const as = (hostname: string) => ({ quiet: true, extra: { hostname } });

forEachStore((kind, test, prepare) => {
  async function enrolled(t: ExecutionContext): Promise<{ server: TestServer; client: V2Client; store: Store }> {
    const store = await (await prepare(t)).open();
    const server = await startTestServer(t, { store });
    return { server, store, client: await enrolledClient(server, 'a') };
  }

  test(`${kind}: a host that reports another name is renamed, also by a quiet check-in, and keeps its history`, async (t) => {
    const { client, server, store } = await enrolled(t);
    await client.submit(REPORT);
    await client.submit({ 'plugins.os_info': { distname: 'Debian', version: '13' } });
    const quiet = { 'plugins.os_info': { distname: 'Debian', version: '13' } };
    t.is((await client.submit(quiet, as('n'))).status, 200);
    const host = await store.hosts.find('n');
    t.is(host?.identity?.keys[0]?.id, client.key.id);
    t.is(await store.hosts.find('a'), undefined);
    t.is((await store.trail.history('n', { limit: 5 })).length, 1);
    t.like(server.events('host.renamed'), [{ host: 'n', was: 'a' }]);
    t.like(server.events('submit.checked-in').at(-1), { host: 'n' });
    t.like(server.identities.at(-1), { event: 'renamed', hostname: 'n', why: 'was a' });
    t.is((await client.submit(quiet, as('n'))).status, 200);
    t.is((await client.submit(REPORT, { extra: { hostname: 'm' } })).status, 200);
    t.is((await store.trail.history('m', { limit: 5 })).length, 2);
    t.is(server.events('host.renamed').length, 2);
  });

  test(`${kind}: while the name stays, a quiet check-in asks the store once`, async (t) => {
    let asked: PropertyKey[] = [];
    const real = await (await prepare(t)).open();
    const hosts = new Proxy(real.hosts, {
      get(target, verb) {
        asked.push(verb);
        return Reflect.get(target, verb);
      },
    });
    const client = await enrolledClient(await startTestServer(t, { store: { ...real, hosts } }), 'a');
    await client.submit(REPORT);
    await client.submit(REPORT, { quiet: true });
    asked = [];
    t.is((await client.submit(REPORT, { quiet: true })).status, 200);
    t.deepEqual(asked, ['checkIn']);
  });

  test(`${kind}: a name that is somebody else's is not given: the report is taken, and the issue stays until the host has its name again`, async (t) => {
    const { client, server, store } = await enrolled(t);
    await enrolledClient(server, 'b');
    await store.hosts.storeV1({ hostname: 'old', at: new Date(), plugins: { a: 1 }, trail: [] });
    await client.submit(REPORT);
    for (const name of ['b', 'old']) {
      t.is((await client.submit(REPORT, as(name))).status, 200);
      t.is((await store.hosts.find('a'))?.identity?.claimed_hostname, name);
    }
    t.deepEqual(await openIssues(store), ['a duplicate-hostname']);
    t.is((await client.submit(REPORT, as('old'))).status, 200);
    t.deepEqual(
      server.events('host.not-renamed').map(({ host, wanted }) => [host, wanted]),
      [
        ['a', 'b'],
        ['a', 'old'],
      ],
      'said once for each name',
    );
    t.is((await client.submit(REPORT, { quiet: true })).status, 200);
    t.deepEqual(await openIssues(store), []);
    t.is((await store.hosts.find('a'))?.identity?.claimed_hostname, undefined);
    await client.submit(REPORT, as('old'));
    await store.hosts.forget('old', new Date());
    t.is((await client.submit(REPORT, as('old'))).status, 200, 'the name is free now');
    t.truthy((await store.hosts.find('old'))?.identity);
    t.deepEqual(await openIssues(store), []);
  });

  test(`${kind}: a token's pattern holds for later names too`, async (t) => {
    const { server, store } = await enrolled(t);
    const client = v2Client({ ...server, hostname: 'lap-1' });
    await client.enroll(await makeToken(store, { pattern: 'lap-*' }));
    await client.submit(REPORT);
    t.is((await client.submit(REPORT, as('desk-1'))).status, 200);
    t.is((await store.hosts.find('lap-1'))?.identity?.claimed_hostname, 'desk-1');
    t.is((await client.submit(REPORT, as('lap-2'))).status, 200);
    t.truthy(await store.hosts.find('lap-2'));
    t.deepEqual(await openIssues(store), []);
  });

  test(`${kind}: a clone renames nothing, nor does a number that was used`, async (t) => {
    const { client, store } = await enrolled(t);
    await client.submit(REPORT);
    const stale = client.chain;
    const sequence = client.nextSequence();
    await client.submit(REPORT, { quiet: true, tweaks: { sequence } });
    t.is((await client.submit(REPORT, { ...as('n'), chain: stale })).json['error'], 'forked');
    t.is((await client.submit(REPORT, { ...as('n'), tweaks: { sequence } })).json['error'], 'replayed');
    t.truthy(await store.hosts.find('a'));
  });

  test(`${kind}: a name that was given up is free for a new machine, and lost to its former host`, async (t) => {
    const { client, server, store } = await enrolled(t);
    await client.submit(REPORT);
    await client.submit(REPORT, as('n'));
    const other = await enrolledClient(server, 'a');
    t.is((await other.submit(REPORT)).status, 200);
    t.is((await client.submit(REPORT, as('a'))).status, 200);
    t.is((await store.hosts.find('n'))?.identity?.claimed_hostname, 'a');
    t.deepEqual(await openIssues(store), ['n duplicate-hostname']);
  });
});

async function openIssues(store: Store): Promise<string[]> {
  const names: string[] = [];
  for await (const { hostname, name } of store.issues.listOpen()) names.push(`${hostname} ${name}`);
  return names;
}
