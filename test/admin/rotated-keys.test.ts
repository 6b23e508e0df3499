import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { backup } from '../../src/admin/backup.ts';
import { enrollmentApprove } from '../../src/admin/enrollment-approve.ts';
import { enrollmentList } from '../../src/admin/enrollment-list.ts';
import { enrollmentReplace } from '../../src/admin/enrollment-replace.ts';
import { enrollmentRevoke } from '../../src/admin/enrollment-revoke.ts';
import { hostsForget } from '../../src/admin/hosts-forget.ts';
import { hostsShow } from '../../src/admin/hosts-show.ts';
import { restore } from '../../src/admin/restore.ts';
import { days, hours } from '../../src/core/duration.ts';
import type { KeyId } from '../../src/core/host.ts';
import { generateSigningKey, loadSigningKey, type SigningKey } from '../../src/crypto/ed25519.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { forEachStore, type StoreKind } from '../support/stores.ts';
import { enrolledClient, makeToken, type V2Client, v2Client } from '../support/v2-client.ts';
import { realClock, realRandom } from '../support/world.ts';
import { type AdminSite, adminSite, refusal } from './admin-site.ts';

const restoreAtOnce = (context: Parameters<typeof restore>[0]) => restore(context, 0);

interface Started {
  site: AdminSite;
  server: TestServer;
}

/** A server and the operator's commands, with the list of identities in its file, as both have it. */
async function started(t: ExecutionContext, kind: StoreKind): Promise<Started> {
  const site = await adminSite(t, kind);
  site.clock.set(realClock.now());
  const server = await startTestServer(t, { store: site.store, identities: site.identities });
  return { site, server };
}

async function rotate(t: ExecutionContext, client: V2Client): Promise<{ old: SigningKey; next: SigningKey }> {
  const [old, next] = [client.key, loadSigningKey(generateSigningKey())];
  const answer = await client.rotate(next);
  t.is(answer.status, 200, answer.body.toString());
  client.use(next);
  return { old, next };
}

/** What the server says to a request signed by this key, once it has noticed that a restore is over. */
async function says(client: V2Client, key: SigningKey): Promise<unknown> {
  client.use(key);
  for (;;) {
    const { status, json } = await client.update();
    if (status !== 503) return json['error'] ?? status;
    await sleep(50);
  }
}

forEachStore((kind, test) => {
  test(`${kind}: list and show say of each key until when it counts`, async (t) => {
    const { site, server } = await started(t, kind);
    const client = await enrolledClient(server, 'lap');
    await enrolledClient(server, 'other');
    const { old, next } = await rotate(t, client);
    const listed = (await site.run(enrollmentList)).out;
    t.regex(listed, new RegExp(`lap +approved \\(until [^)]*: another one took over\\) +${old.id}`));
    t.regex(listed, new RegExp(`lap +approved +${next.id}`));
    const { enrollments } = Object(await site.json(enrollmentList));
    t.like(
      enrollments.find(({ key_id }: { key_id: KeyId }) => key_id === next.id),
      { hostname: 'lap', status: 'approved', replaces: old.id },
    );
    t.regex(
      (await site.run(hostsShow, 'lap')).out,
      new RegExp(`key +${old.id} \\(until [^)]*\\)\nkey +${next.id} \\(since`),
    );
    site.clock.set(new Date(realClock.now().getTime() + days(8)));
    t.regex((await site.run(enrollmentList)).out, /lap +approved \(ended /);
    t.regex((await site.run(hostsShow, 'lap')).out, new RegExp(`key +${old.id} \\(ended `));
    const shown = Object(await site.json(hostsShow, 'lap'));
    t.deepEqual(
      shown.identity.keys.map(({ replaces }: { replaces?: string }) => replaces),
      [undefined, old.id],
    );
  });

  test(`${kind}: either key is revoked by itself, and the operator is told which one is left`, async (t) => {
    const { site, server } = await started(t, kind);
    for (const which of ['old', 'next'] as const) {
      const client = await enrolledClient(server, `lap-${which}`);
      const keys = await rotate(t, client);
      const other = which === 'old' ? 'next' : 'old';
      const said = await site.run(enrollmentRevoke, '--yes', '--', keys[which].id);
      t.true(said.err.includes(`may still report with its key ${keys[other].id}`), said.err);
      t.is(await says(client, keys[which]), 'revoked-key');
      t.is(await says(client, keys[other]), 200);
      t.is((await site.store.enrollments.find(keys[which].id))?.status, 'revoked');
    }
  });

  test(`${kind}: a host's name revokes all of its keys`, async (t) => {
    const { site, server } = await started(t, kind);
    const client = await enrolledClient(server, 'lap');
    const { old, next } = await rotate(t, client);
    const said = Object(await site.json(enrollmentRevoke, 'lap', '--yes', '--why', 'stolen'));
    t.like(said, { key_ids: [old.id, next.id], hostname: 'lap', status: 'revoked', left: [] });
    for (const key of [old, next]) t.is(await says(client, key), 'revoked-key');
    t.regex(await refusal(t, site.run(enrollmentRevoke, 'lap', '--yes')), /cannot find a key/);
  });

  test(`${kind}: a machine that takes the place ends all keys, and a forgotten host's do not come back`, async (t) => {
    const { site, server } = await started(t, kind);
    const client = await enrolledClient(server, 'lap');
    const { old, next } = await rotate(t, client);
    const fresh = v2Client({ ...server, hostname: 'lap' });
    await fresh.enroll(await makeToken(site.store));
    t.regex(await refusal(t, site.run(enrollmentRevoke, 'lap', '--yes')), /cannot tell which one is meant/);
    const said = Object(await site.json(enrollmentReplace, 'lap', '--yes'));
    t.deepEqual(said.revoked, [old.id, next.id]);
    for (const key of [old, next]) t.is(await says(client, key), 'revoked-key');
    const gone = await enrolledClient(server, 'gone');
    const second = await rotate(t, gone);
    await site.run(hostsForget, 'gone', '--yes');
    for (const key of [second.old, second.next]) t.is(await says(gone, key), 'revoked-key');
    t.true(await site.store.enrollments.everApproved('gone'));
    const again = v2Client({ ...server, hostname: 'else', key: second.next });
    t.is((await again.enroll(await makeToken(site.store))).json['error'], 'revoked-key');
  });

  test(`${kind}: --same-key needs a key that still counts`, async (t) => {
    const { site, server } = await started(t, kind);
    const client = await enrolledClient(server, 'lap');
    const { next } = await rotate(t, client);
    await site.run(enrollmentRevoke, '--yes', '--', next.id);
    t.regex((await site.run(enrollmentReplace, 'lap', '--same-key', '--yes')).out, /the next report of lap is taken/);
    site.clock.set(new Date(realClock.now().getTime() + days(8)));
    t.regex(await refusal(t, site.run(enrollmentReplace, 'lap', '--same-key', '--yes')), /revoked or have ended/);
  });

  test(`${kind}: a restored store knows the keys that took over since the backup, and when the old ones end`, async (t) => {
    const { site, server } = await started(t, kind);
    const client = await enrolledClient(server, 'lap');
    await client.submit({ 'plugins.a': 1 });
    const revoked = await enrolledClient(server, 'revoked');
    const before = await rotate(t, await enrolledClient(server, 'before'));
    const file = join(site.folder, 'backup.gz');
    await site.run(backup, file);
    const { old, next } = await rotate(t, client);
    await client.submit({ 'plugins.a': 2 });
    const ended = await rotate(t, revoked);
    await site.run(enrollmentRevoke, 'revoked', '--yes');
    const was = await site.store.hosts.find('lap');
    const record = await site.store.enrollments.find(next.id);

    const said = Object(await site.json(restoreAtOnce, '--yes', file));
    t.deepEqual(said.pending, []);
    const now = await site.store.hosts.find('lap');
    t.deepEqual(now?.identity?.keys, was?.identity?.keys);
    t.is(now?.identity?.sequence, was?.identity?.sequence);
    t.deepEqual(await site.store.enrollments.find(next.id), record);
    t.is(await says(client, old), 200);
    t.is(await says(client, next), 200);
    for (const key of [ended.old, ended.next]) t.is(await says(revoked, key), 'revoked-key');
    t.is((await site.store.hosts.find('before'))?.identity?.keys.length, 2);
    t.is((await site.store.enrollments.find(before.next.id))?.status, 'approved');
  });

  test(`${kind}: a restored store knows them from the list alone, where the store was lost`, async (t) => {
    const { site, server } = await started(t, kind);
    const client = await enrolledClient(server, 'lap');
    const file = join(site.folder, 'backup.gz');
    await site.run(backup, file);
    const { old, next } = await rotate(t, client);
    const third = 'B'.repeat(43) as KeyId;
    const at = new Date(realClock.now().getTime() + hours(2));
    const { host_id } = (await site.store.hosts.find('lap'))?.identity ?? t.fail();
    await site.identities.append({
      event: 'rotated',
      key_id: third,
      host_id,
      hostname: 'lap',
      public_key: loadSigningKey(generateSigningKey()).publicKey,
      replaces: next.id,
      ends_at: new Date(at.getTime() + days(1)),
      at,
    });
    await site.identities.append({ event: 'not-rotated', key_id: third, at });
    await site.store.upkeep.import((async function* () {})(), realRandom.uuid());
    await site.run(restoreAtOnce, '--yes', file);
    const keys = (await site.store.hosts.find('lap'))?.identity?.keys ?? [];
    t.deepEqual(
      keys.map(({ id, replaces }) => [id, replaces]),
      [
        [old.id, undefined],
        [next.id, old.id],
      ],
    );
    t.truthy(keys[0]?.ends_at);
    t.is(await says(client, next), 200);
  });

  test(`${kind}: of a machine that enrolled since the backup, and rotated, the newest key waits, and is let in`, async (t) => {
    const { site, server } = await started(t, kind);
    const file = join(site.folder, 'backup.gz');
    await site.run(backup, file);
    const client = await enrolledClient(server, 'since');
    await client.submit({ 'plugins.a': 1 });
    const { old, next } = await rotate(t, client);
    const said = Object(await site.json(restoreAtOnce, '--yes', file));
    t.deepEqual(said.pending, [{ key_id: next.id, hostname: 'since' }]);
    t.is(await says(client, old), 'revoked-key');
    t.is(await says(client, next), 'pending');
    await site.run(enrollmentApprove, 'since', '--yes');
    t.is((await client.submit({ 'plugins.a': 2 })).status, 200);
    t.is((await site.store.hosts.find('since'))?.identity?.keys.length, 1);
  });
});
