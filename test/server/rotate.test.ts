import type { ExecutionContext } from 'ava';
import { days, hours, type Milliseconds } from '../../src/core/duration.ts';
import { generateSigningKey, loadSigningKey } from '../../src/crypto/ed25519.ts';
import { startTestServer } from '../support/server.ts';
import { forEachStore, type Place } from '../support/stores.ts';
import { enrolledClient, makeToken, v2Client } from '../support/v2-client.ts';
import { realClock } from '../support/world.ts';

const newKey = () => loadSigningKey(generateSigningKey());

/** A server whose clock can go on, and with it what a client signs. */
async function siteOf(t: ExecutionContext, place: Place, settings: Record<string, unknown> = {}) {
  let ahead: Milliseconds = 0;
  const clock = { now: () => new Date(realClock.now().getTime() + ahead) };
  const server = await startTestServer(t, { store: await place.open({ clock }), clock, settings });
  const later = (duration: Milliseconds) => {
    ahead += duration;
  };
  /** of a request: made at the server's time */
  const now = () => ({ createdOff: ahead, sequence: (realClock.now().getTime() + ahead) * 1000 });
  return { server, later, now };
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: a new key is valid at once, the old one for the overlap, and the host goes on as it was`, async (t) => {
    const { server, later, now } = await siteOf(t, await prepare(t), { agents: { key_overlap: '2d' } });
    const client = await enrolledClient(server, 'lap-1');
    t.is((await client.submit({ 'plugins.a': 1 })).status, 200);
    const before = (await server.store.hosts.find('lap-1')) ?? t.fail();
    const [old, next] = [client.key, newKey()];
    const answer = await client.rotate(next);
    t.deepEqual([answer.status, answer.verified], [200, true]);
    const { host_id, key_id, old_key_ends_at } = answer.json;
    t.deepEqual([host_id, key_id], [before.identity?.host_id, next.id]);
    const left = Date.parse(String(old_key_ends_at)) - Date.now();
    t.true(left > days(2) - 60_000 && left <= days(2));
    t.like(server.identities.at(-1), { event: 'rotated', key_id: next.id, replaces: old.id, host_id });
    t.like(server.events('host.rotated'), [{ host: 'lap-1' }]);
    client.use(next);
    t.is((await client.submit({ 'plugins.a': 2 })).status, 200, 'the chain goes on');
    client.use(old);
    t.is((await client.submit({ 'plugins.a': 3 })).status, 200);
    later(days(2));
    t.is((await client.submit({ 'plugins.a': 4 }, { tweaks: now() })).json['error'], 'revoked-key');
    client.use(next);
    t.is((await client.submit({ 'plugins.a': 4 }, { tweaks: now() })).status, 200);
    const after = await server.store.hosts.find('lap-1');
    t.is(after?.identity?.host_id, before.identity?.host_id);
    t.is((await server.store.trail.history('lap-1', { limit: 9 })).length, 3);
  });

  test(`${kind}: the same request again gets the same answer, and adds nothing`, async (t) => {
    const { server } = await siteOf(t, await prepare(t));
    const client = await enrolledClient(server, 'lap-1');
    const next = newKey();
    const [first, ...others] = await Promise.all([client.rotate(next), client.rotate(next), client.rotate(next)]);
    const again = await client.rotate(next);
    const told = ({ json }: typeof first) => [json['status'], json['key_id'], json['old_key_ends_at']];
    for (const answer of [...others, again]) {
      t.true(answer.verified);
      // Of requests at once an earlier number may come after a later one.
      if (answer.status === 200 && first.status === 200) t.deepEqual(told(answer), told(first));
      else t.true(answer.status === 200 || answer.json['error'] === 'replayed' || first.status !== 200);
    }
    t.is(again.status, 200);
    t.is((await server.store.hosts.find('lap-1'))?.identity?.keys.length, 2);
    t.is((await server.store.enrollments.list()).length, 2);
    t.is(server.identities.filter(({ event }) => event === 'not-rotated').length, 0);
  });

  test(`${kind}: who may not report, may not rotate`, async (t) => {
    const { server } = await siteOf(t, await prepare(t));
    const { store } = server;
    const pending = v2Client({ ...server, hostname: 'waits' });
    await pending.enroll(await makeToken(store, { approve: false }));
    t.is((await pending.rotate(newKey())).json['error'], 'pending');
    const lost = await enrolledClient(server, 'lost');
    await store.hosts.markLost('lost', new Date());
    t.is((await lost.rotate(newKey())).json['error'], 'lost');
    const revoked = await enrolledClient(server, 'revoked');
    await store.hosts.revokeKey(revoked.key.id, new Date());
    t.is((await revoked.rotate(newKey())).json['error'], 'revoked-key');
    const forgotten = await enrolledClient(server, 'forgotten');
    await store.hosts.forget('forgotten', new Date());
    t.is((await forgotten.rotate(newKey())).json['error'], 'unknown-key');
    const stranger = v2Client({ ...server, hostname: 'stranger' });
    t.is((await stranger.rotate(newKey())).json['error'], 'unknown-key');
    t.deepEqual(
      server.identities.filter(({ event }) => event === 'rotated'),
      [],
    );
    t.is((await store.enrollments.list()).length, 4);
  });

  test(`${kind}: a key is not added without the proof of its holder, for this host and this old key`, async (t) => {
    const { server } = await siteOf(t, await prepare(t));
    const client = await enrolledClient(server, 'lap-1');
    const other = (await enrolledClient(server, 'lap-2')).key;
    const next = newKey();
    const host_id = '0199f3c2-0000-7000-8000-000000000000';
    for (const wrong of [{ host_id }, { old_key: other.id }, { prover: client.key }]) {
      const answer = await client.rotate(next, wrong);
      t.deepEqual([answer.status, answer.json['error']], [400, 'bad-request']);
    }
    t.is((await server.store.hosts.find('lap-1'))?.identity?.keys.length, 1);
    t.is((await client.rotate(next)).status, 200);
  });

  test(`${kind}: a key that any host or enrolment ever had is not added`, async (t) => {
    const { server, later, now } = await siteOf(t, await prepare(t));
    const client = await enrolledClient(server, 'lap-1');
    const other = await enrolledClient(server, 'lap-2');
    const forgotten = await enrolledClient(server, 'forgotten');
    await server.store.hosts.forget('forgotten', new Date());
    const pending = v2Client({ ...server, hostname: 'waits' });
    await pending.enroll(await makeToken(server.store, { approve: false }));
    for (const key of [client.key, other.key, forgotten.key, pending.key]) {
      const answer = await client.rotate(key);
      t.deepEqual([answer.status, answer.json['error']], [409, 'known-key']);
    }
    const [first, second] = [client.key, newKey()];
    t.is((await client.rotate(second)).status, 200);
    t.is((await client.rotate(newKey())).json['error'], 'replaced-key');
    client.use(second);
    t.is((await client.rotate(newKey())).json['error'], 'rotated-recently');
    t.is((await client.rotate(first)).json['error'], 'known-key', 'one key does not come back');
    later(hours(1) + 1000);
    const late = await client.send('/penguindome/v2/update', { hostname: 'lap-1', release: 0 }, now());
    t.is(late.status, 200);
    t.is((await server.store.hosts.find('lap-1'))?.identity?.keys.length, 2);
  });

  test(`${kind}: a rotated key cannot enrol as another host, and with its own token is told what it is`, async (t) => {
    const { server } = await siteOf(t, await prepare(t));
    const client = v2Client({ ...server, hostname: 'lap-1' });
    const secret = await makeToken(server.store);
    const first = await client.enroll(secret);
    const next = newKey();
    await client.rotate(next);
    client.use(next);
    t.is((await client.enroll(await makeToken(server.store))).json['error'], 'token-refused');
    const again = await client.enroll(secret);
    t.deepEqual([again.json['status'], again.json['host_id']], ['approved', first.json['host_id']]);
    t.is((await server.store.hosts.find('lap-1'))?.identity?.keys.length, 2);
  });
});
