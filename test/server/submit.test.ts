import type { ExecutionContext } from 'ava';
import { loadJudge, makeJudge } from '../../src/audit/judge.ts';
import type { Store } from '../../src/store/port.ts';
import { canonicalJson } from '../../src/wire/v2/digest.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { forEachStore } from '../support/stores.ts';
import { digestsOf, enrolledClient, type V2Client } from '../support/v2-client.ts';
import { realRandom } from '../support/world.ts';

const REPORT = {
  'plugins.os_info': { distname: 'Debian', version: '12', booted_at: '2026-11-22T10:00:00.123456+00:00' },
  'plugins.firewall': { status: 'off' },
  'commands.who': { output: 'nobody' },
};

/** A body that JSON can carry and a careless store cannot. */
const ODD: unknown = JSON.parse(
  String.raw`{"$where":"1","a.b":{"c\u0000d":1},"__proto__":{"x":[null,{"$gt":""}]},"":"empty","constructor":2,"n":"a\u0000b"}`,
);

forEachStore((kind, test, prepare) => {
  async function enrolled(t: ExecutionContext): Promise<{ server: TestServer; client: V2Client; store: Store }> {
    const store = await (await prepare(t)).open();
    const server = await startTestServer(t, { store });
    return { server, store, client: await enrolledClient(server, 'penguin-07') };
  }

  test(`${kind}: a report is stored whole, and the answer is signed`, async (t) => {
    const { client, store, server } = await enrolled(t);
    const answer = await client.submit(REPORT);
    t.is(answer.status, 200, answer.body.toString());
    t.true(answer.verified);
    const host = await store.hosts.find('penguin-07');
    t.deepEqual(host?.plugins?.['firewall'], { status: 'off' });
    t.deepEqual(host?.plugins?.['os_info'], {
      distname: 'Debian',
      version: '12',
      booted_at: new Date('2026-11-22T10:00:00.123Z'),
    });
    t.deepEqual(host?.commands, { who: { output: 'nobody', submitted_at: host?.submitted_at } });
    t.deepEqual(host?.plugins?.['submitted_at'], host?.submitted_at);
    t.is(server.events('submit.stored').length, 1);
    t.deepEqual(server.events('request.refused'), [], 'what is stored is not called refused as well');
    t.is(answer.headers.allow, undefined);
  });

  test(`${kind}: a quiet check-in confirms the report without sending it`, async (t) => {
    const { client, store, server } = await enrolled(t);
    await client.submit(REPORT);
    const before = await store.hosts.find('penguin-07');
    const answer = await client.submit(REPORT, { quiet: true });
    t.is(answer.status, 200, answer.body.toString());
    const after = await store.hosts.find('penguin-07');
    t.true(Number(after?.submitted_at) > Number(before?.submitted_at));
    t.deepEqual(after?.plugins?.['os_info'], before?.plugins?.['os_info']);
    t.is(server.events('submit.checked-in').length, 1);
  });

  test(`${kind}: of a changed report only the changed body is sent; the trail says what changed`, async (t) => {
    const { client, store } = await enrolled(t);
    await client.submit(REPORT);
    const changed = { ...REPORT, 'plugins.firewall': { status: 'on' } };
    const { list, bodies } = digestsOf({ 'plugins.firewall': { status: 'on' } });
    const answer = await client.submit(changed, { extra: { bodies } });
    t.is(answer.status, 200, answer.body.toString());
    const host = await store.hosts.find('penguin-07');
    t.deepEqual(host?.plugins?.['firewall'], { status: 'on' });
    t.is(host?.identity?.list['plugins.firewall'], list['plugins.firewall']);
    const trail = await store.trail.history('penguin-07', { limit: 10 });
    t.deepEqual(
      trail.map(({ key, type, old, new: now }) => ({ key, type, old, now })),
      [{ key: 'plugins.firewall.status', type: 'change', old: 'off', now: 'on' }],
    );
  });

  test(`${kind}: a plugin that is no longer in the list is gone`, async (t) => {
    const { client, store } = await enrolled(t);
    await client.submit(REPORT);
    const { 'plugins.firewall': _, ...rest } = REPORT;
    await client.submit(rest);
    const host = await store.hosts.find('penguin-07');
    t.deepEqual(Object.keys(host?.plugins ?? {}).sort(), ['os_info', 'submitted_at']);
    const [gone] = await store.trail.history('penguin-07', { limit: 10 });
    t.is(gone?.type, 'delete');
  });

  test(`${kind}: odd keys and NUL come back as they were reported, and a quiet check-in still fits`, async (t) => {
    const { client, store } = await enrolled(t);
    const report = { 'plugins.odd': ODD, 'plugins.$set.x': 1, 'plugins.__proto__': [ODD] };
    t.is((await client.submit(report)).status, 200);
    t.is((await client.submit(report, { quiet: true })).status, 200);
    const host = await store.hosts.find('penguin-07');
    const plugins = host?.plugins ?? {};
    // as text: a comparison of objects may look through __proto__
    t.is(canonicalJson(plugins['odd']), canonicalJson(ODD));
    t.is(plugins['$set.x'], 1);
    t.is(canonicalJson(Object.getOwnPropertyDescriptor(plugins, '__proto__')?.value), canonicalJson([ODD]));
    t.deepEqual(Object.keys(plugins).sort(), ['$set.x', '__proto__', 'odd', 'submitted_at']);
  });

  test(`${kind}: what the server lacks it names, and the number is used up`, async (t) => {
    const { client, store } = await enrolled(t);
    const quiet = await client.submit(REPORT, { quiet: true });
    t.is(quiet.status, 409);
    t.deepEqual([quiet.json['error'], quiet.json['names'], quiet.verified], ['resend', [], true]);
    const submission = realRandom.uuid();
    const sequence = client.nextSequence();
    const lacking = await client.submit(REPORT, { submission, extra: { bodies: {} }, tweaks: { sequence } });
    t.deepEqual(lacking.json['names'], Object.keys(REPORT));
    t.is((await store.hosts.find('penguin-07'))?.identity?.sequence, sequence);
    t.is((await client.submit(REPORT, { submission })).status, 200);
  });

  test(`${kind}: a submission repeated after a lost answer gets the same answer, and is stored once`, async (t) => {
    const { client, store } = await enrolled(t);
    await client.submit(REPORT);
    const chain = client.chain;
    const submission = realRandom.uuid();
    const changed = { ...REPORT, 'plugins.firewall': { status: 'on' } };
    const first = await client.submit(changed, { submission });
    const again = await client.submit(changed, { submission, chain });
    t.is(again.status, 200);
    t.is(again.json['chain'], first.json['chain']);
    t.is((await store.trail.history('penguin-07', { limit: 10 })).length, 1);
    t.is((await client.submit(changed, { quiet: true })).status, 200);
  });

  test(`${kind}: a stale chain is a fork: refused, an issue, nothing stored`, async (t) => {
    const { client, store } = await enrolled(t);
    await client.submit(REPORT);
    const stale = client.chain;
    await client.submit(REPORT, { quiet: true });
    const before = await store.hosts.find('penguin-07');
    const forked = await client.submit({ 'plugins.x': 1 }, { chain: stale });
    t.deepEqual([forked.status, forked.json['error'], forked.verified], [409, 'forked', true]);
    const after = await store.hosts.find('penguin-07');
    t.deepEqual(after?.plugins, before?.plugins);
    t.true(await isOpen(store, 'penguin-07', 'cloned-identity'));
    t.is((await client.submit(REPORT, { quiet: true, chain: null })).json['error'], 'forked');
  });

  test(`${kind}: a submission whose body is gone is acknowledged, and no time moves`, async (t) => {
    const { client, store } = await enrolled(t);
    await client.submit(REPORT);
    const before = await store.hosts.find('penguin-07');
    const gone = await client.submit(REPORT, { quiet: true, extra: { gone: true } });
    t.is(gone.status, 200, gone.body.toString());
    const after = await store.hosts.find('penguin-07');
    t.deepEqual(after?.submitted_at, before?.submitted_at);
    t.is((await client.submit(REPORT, { quiet: true })).status, 200);
  });

  test(`${kind}: a used number is refused with the last one, and not used up twice`, async (t) => {
    const { client, store } = await enrolled(t);
    const sequence = client.nextSequence();
    t.is((await client.submit(REPORT, { tweaks: { sequence } })).status, 200);
    const again = await client.submit(REPORT, { quiet: true, tweaks: { sequence } });
    t.deepEqual([again.status, again.json['error'], again.json['last']], [409, 'replayed', sequence]);
    t.true(again.verified);
    t.truthy(again.json['time']);
    const ahead = (Date.now() + 600_000) * 1000;
    const refused = await client.submit(REPORT, { quiet: true, tweaks: { sequence: ahead } });
    t.deepEqual([refused.status, refused.json['error'], refused.json['last']], [409, 'replayed', sequence]);
    t.is((await store.hosts.find('penguin-07'))?.identity?.sequence, sequence);
  });

  test(`${kind}: of two requests with one number, sent at once, one is accepted`, async (t) => {
    const { client } = await enrolled(t);
    const sequence = client.nextSequence();
    const chain = client.chain;
    const answers = await Promise.all(
      [1, 2, 3].map((n) => client.submit({ 'plugins.n': n }, { chain, tweaks: { sequence } })),
    );
    t.is(answers.filter(({ status }) => status === 200).length, 1);
  });

  test(`${kind}: a revoked key is refused at once, though the server knows it`, async (t) => {
    const { client, store } = await enrolled(t);
    await client.submit(REPORT);
    await store.hosts.revokeKey(client.key.id, new Date());
    for (const quiet of [true, false]) {
      const answer = await client.submit({ 'plugins.x': 1 }, { quiet });
      t.deepEqual([answer.status, answer.json['error']], [401, 'revoked-key']);
    }
    t.is((await client.update()).json['error'], 'revoked-key');
  });

  test(`${kind}: what looks like a fork in an earlier state of the host, as a database read may show it, is none`, async (t) => {
    const store = await (await prepare(t)).open();
    const earlier: Awaited<ReturnType<Store['hosts']['findByKey']>>[] = [];
    const findByKey: Store['hosts']['findByKey'] = async (key) => earlier.pop() ?? store.hosts.findByKey(key);
    const server = await startTestServer(t, { store: { ...store, hosts: { ...store.hosts, findByKey } } });
    const client = await enrolledClient(server, 'penguin-07');
    await client.submit(REPORT);
    const before = await store.hosts.findByKey(client.key.id);
    await client.submit(REPORT, { quiet: true });
    const changed = { ...REPORT, 'plugins.firewall': { status: 'on' } };
    earlier.push(before);
    const answer = await client.submit(changed);
    t.deepEqual([answer.status, answer.json['error']], [503, 'unavailable']);
    t.deepEqual(earlier, []);
    t.false(await isOpen(store, 'penguin-07', 'cloned-identity'));
    t.is((await client.submit(changed)).status, 200, 'it comes again');
  });

  test(`${kind}: in a new epoch the first submission is accepted whatever its chain, once`, async (t) => {
    const { client, server, store } = await enrolled(t);
    await client.submit(REPORT);
    const documents = [];
    for await (const document of store.upkeep.export()) documents.push(document);
    await store.upkeep.import(
      (async function* () {
        yield* documents;
      })(),
      realRandom.uuid(),
    );
    await waitFor(
      async () =>
        (await client.update()).json['epoch'] !== undefined &&
        (await store.state()).epoch === (await client.update()).json['epoch'],
    );
    const first = await client.submit(REPORT, { quiet: true, chain: 'what-a-restored-store-never-gave' });
    t.is(first.status, 200, first.body.toString());
    t.is(server.events('submit.new-epoch').length, 1);
    t.is((await client.submit(REPORT, { quiet: true, chain: 'again' })).json['error'], 'forked');
  });

  test(`${kind}: a report opens and closes issues as it arrives`, async (t) => {
    const store = await (await prepare(t)).open();
    const { judge, problems } = await loadJudge(['checks.d']);
    t.deepEqual(problems, []);
    const server = await startTestServer(t, { store, judge });
    const client = await enrolledClient(server, 'penguin-07');
    await client.submit({ ...REPORT, 'plugins.firewall': { status: 'off' } });
    t.true(await isOpen(store, 'penguin-07', 'firewall-disabled'));
    t.is((await store.hosts.find('penguin-07'))?.settled, true);
    await client.submit({ ...REPORT, 'plugins.firewall': { status: 'on' } });
    t.false(await isOpen(store, 'penguin-07', 'firewall-disabled'));
  });

  test(`${kind}: a report that would make the host's document too large is refused whole`, async (t) => {
    const store = await (await prepare(t)).open();
    const server = await startTestServer(t, { store, settings: { limits: { document: 20_000 } } });
    const client = await enrolledClient(server, 'penguin-07');
    await client.submit(REPORT);
    const before = await store.hosts.find('penguin-07');
    const answer = await client.submit({ ...REPORT, 'plugins.big': 'x'.repeat(30_000) });
    t.deepEqual([answer.status, answer.json['error']], [413, 'too-large']);
    t.deepEqual((await store.hosts.find('penguin-07'))?.plugins, before?.plugins);
    t.is((await client.submit(REPORT, { quiet: true })).status, 200);
  });

  test(`${kind}: checks that throw lose no report`, async (t) => {
    const store = await (await prepare(t)).open();
    const judge = {
      ...makeJudge([]),
      judge: () => {
        throw new Error('no');
      },
    };
    const server = await startTestServer(t, { store, judge });
    const client = await enrolledClient(server, 'penguin-07');
    t.is((await client.submit(REPORT)).status, 200);
    t.is(server.events('submit.judge-failed').length, 1);
  });
});

async function isOpen(store: Store, hostname: string, name: string): Promise<boolean> {
  for await (const issue of store.issues.listOpen({ hostnames: [hostname], names: [name] })) {
    if (issue.name === name) return true;
  }
  return false;
}

async function waitFor(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 100));
}
