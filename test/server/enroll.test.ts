import type { ExecutionContext } from 'ava';
import { identityOf } from '../../src/core/enrollment.ts';
import type { HostId } from '../../src/core/host.ts';
import type { Store } from '../../src/store/port.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { forEachStore } from '../support/stores.ts';
import { enrolledClient, makeToken, v2Client } from '../support/v2-client.ts';
import { standingClock } from '../support/world.ts';

forEachStore((kind, test, prepare) => {
  async function started(t: ExecutionContext): Promise<{ server: TestServer; store: Store }> {
    const store = await (await prepare(t)).open();
    return { store, server: await startTestServer(t, { store }) };
  }

  test(`${kind}: a key with a good token becomes a host`, async (t) => {
    const { server, store } = await started(t);
    const client = v2Client({ ...server, hostname: 'penguin-07' });
    const answer = await client.enroll(await makeToken(store));
    t.deepEqual([answer.status, answer.json['status'], answer.verified], [200, 'approved', true]);
    const host = await store.hosts.findByKey(client.key.id);
    t.is(host?.hostname, 'penguin-07');
    t.is(host?.identity.host_id, answer.json['host_id'] as HostId);
    t.is((await store.enrollments.find(client.key.id))?.status, 'approved');
    t.deepEqual(
      server.identities.map(({ event, hostname, public_key }) => ({ event, hostname, public_key })),
      [
        { event: 'enrolled', hostname: 'penguin-07', public_key: client.key.publicKey },
        { event: 'approved', hostname: 'penguin-07', public_key: undefined },
      ],
    );
  });

  test(`${kind}: an enrolment that comes again gets the same answer and uses no quota`, async (t) => {
    const { server, store } = await started(t);
    const secret = await makeToken(store, { uses: 1 });
    const client = v2Client({ ...server, hostname: 'penguin-07' });
    const first = await client.enroll(secret);
    const again = await client.enroll(secret);
    t.deepEqual([again.status, again.json['host_id']], [200, first.json['host_id']]);
    const other = v2Client({ ...server, hostname: 'penguin-08' });
    t.is((await other.enroll(secret)).json['error'], 'token-refused');
    t.is((await client.enroll(await makeToken(store))).json['error'], 'token-refused');
  });

  test(`${kind}: a token that is no good is refused in the same words, whatever is wrong with it`, async (t) => {
    const { server, store } = await started(t);
    const past = new Date(Date.now() - 1000);
    const secrets = [
      'A'.repeat(32),
      await makeToken(store, { expires_at: past }),
      await makeToken(store, { revoked_at: past }),
      await makeToken(store, { uses: 0 }),
      await makeToken(store, { pattern: 'puffin-*' }),
    ];
    const said = new Set<string>();
    for (const secret of secrets) {
      const answer = await v2Client({ ...server, hostname: 'penguin-07' }).enroll(secret);
      t.is(answer.status, 403);
      t.true(answer.verified);
      said.add(`${answer.json['error']}: ${answer.json['reason']}`);
    }
    t.is(said.size, 1);
    t.is(await store.hosts.count(), 0);
    t.is((await store.enrollments.list()).length, 0);
    t.deepEqual(
      server.events('request.refused').map(({ detail }) => detail),
      ['unknown', 'expired', 'revoked', 'used-up', 'for other names'].map((why) => `the token is ${why}`),
    );
  });

  test(`${kind}: a token that does not approve leaves its host pending: refused, and nothing stored`, async (t) => {
    const { server, store } = await started(t);
    const secret = await makeToken(store, { approve: false });
    const client = v2Client({ ...server, hostname: 'penguin-07' });
    const answer = await client.enroll(secret);
    t.is(answer.json['status'], 'pending');
    for (const quiet of [true, false]) {
      const refused = await client.submit({ 'plugins.x': 1 }, { quiet });
      t.deepEqual([refused.status, refused.json['error'], refused.verified], [403, 'pending', true]);
    }
    t.is(await store.hosts.count(), 0);
    t.is((await client.enroll(secret)).json['status'], 'pending');
    const sequence = client.nextSequence();
    await client.update({ sequence });
    t.is((await client.update({ sequence })).json['error'], 'replayed');
  });

  test(`${kind}: a name that a v2 host has is not given again: pending, and an issue`, async (t) => {
    const { server, store } = await started(t);
    const first = await enrolledClient(server, 'penguin-07');
    const second = v2Client({ ...server, hostname: 'penguin-07' });
    const answer = await second.enroll(await makeToken(store));
    t.is(answer.json['status'], 'pending');
    t.is((await store.enrollments.find(second.key.id))?.conflict, 'v2');
    const open = [];
    for await (const issue of store.issues.listOpen()) open.push(`${issue.hostname} ${issue.name}`);
    t.deepEqual(open, ['penguin-07 duplicate-hostname']);
    t.is((await first.submit({ 'plugins.x': 1 })).status, 200);
    t.is((await second.submit({ 'plugins.x': 1 })).json['error'], 'pending');
  });

  test(`${kind}: a name known from v1 is pending too`, async (t) => {
    const { server, store } = await started(t);
    await store.hosts.storeV1({ hostname: 'penguin-07', at: new Date(), plugins: { a: 1 }, trail: [] });
    const client = v2Client({ ...server, hostname: 'penguin-07' });
    t.is((await client.enroll(await makeToken(store))).json['status'], 'pending');
    t.is((await store.enrollments.find(client.key.id))?.conflict, 'v1');
  });

  test(`${kind}: an enrolment that a crash cut short goes on where it stopped`, async (t) => {
    const { server, store } = await started(t);
    const secret = await makeToken(store, { uses: 1 });
    const client = v2Client({ ...server, hostname: 'penguin-07' });
    const { approve, insert } = store.enrollments;
    const attach = store.hosts.attach;
    const cut = async (): Promise<never> => {
      throw new Error('the machine lost power');
    };
    store.enrollments.insert = cut;
    t.is((await client.enroll(secret)).status, 500);
    store.enrollments.insert = insert;
    store.hosts.attach = cut;
    t.is((await client.enroll(secret)).status, 500);
    store.hosts.attach = attach;
    store.enrollments.approve = cut;
    t.is((await client.enroll(secret)).status, 500);
    store.enrollments.approve = approve;
    t.is((await client.enroll(secret)).json['status'], 'approved');
    t.is((await store.enrollments.find(client.key.id))?.status, 'approved');
    t.is((await client.submit({ 'plugins.x': 1 })).status, 200);
  });

  for (const end of ['revoked', 'expired'] as const) {
    test(`${kind}: an enrolment that was cut short is not approved by a token that is ${end} since; an operator may`, async (t) => {
      const start = new Date();
      const clock = standingClock(start);
      const store = await (await prepare(t)).open({ clock });
      const server = await startTestServer(t, { store, clock });
      const expires_at = new Date(start.getTime() + 60_000);
      const secret = await makeToken(store, { expires_at });
      const client = v2Client({ ...server, hostname: 'penguin-07' });
      const { attach } = store.hosts;
      store.hosts.attach = async () => {
        throw new Error('the machine lost power');
      };
      t.is((await client.enroll(secret)).status, 500);
      store.hosts.attach = attach;
      const [token] = await store.tokens.list();
      if (end === 'revoked') await store.tokens.revoke(token?.id ?? '', start);
      else clock.set(expires_at);
      t.is((await client.enroll(secret)).json['status'], 'pending');
      t.is(await store.hosts.count(), 0);
      t.is((await client.submit({ 'plugins.x': 1 })).json['error'], 'pending');
      const enrollment = (await store.enrollments.find(client.key.id)) ?? t.fail();
      t.is(enrollment.status, 'pending');
      t.true(await store.hosts.attach('penguin-07', identityOf(enrollment, start), { adopt: false }));
      t.is((await client.enroll(secret)).json['status'], 'approved', 'what is approved already is only said again');
    });
  }

  test(`${kind}: a key enrols by its own signature only`, async (t) => {
    const { server, store } = await started(t);
    const client = v2Client({ ...server, hostname: 'penguin-07' });
    const other = v2Client({ ...server, hostname: 'penguin-08' });
    const secret = await makeToken(store);
    const message = { token: secret, public_key: other.key.publicKey, hostname: 'penguin-07' };
    t.is((await client.send('/penguindome/v2/enroll', message)).json['error'], 'bad-signature');
    t.is((await client.enroll(secret, { tweaks: { signer: other.key } })).json['error'], 'bad-signature');
    t.is((await store.enrollments.list()).length, 0);
  });

  test(`${kind}: twins of one enrolment make one host`, async (t) => {
    const { server, store } = await started(t);
    const secret = await makeToken(store);
    const client = v2Client({ ...server, hostname: 'penguin-07' });
    await Promise.all([client.enroll(secret), client.enroll(secret), client.enroll(secret)]);
    const answer = await client.enroll(secret);
    t.is(answer.json['status'], 'approved');
    t.is(await store.hosts.count(), 1);
  });
});
