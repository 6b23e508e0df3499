import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { enrollmentRevoke } from '../../src/admin/enrollment-revoke.ts';
import { migrateHost } from '../../src/admin/migrate-host.ts';
import { migrateStatus } from '../../src/admin/migrate-status.ts';
import { decodeToken } from '../../src/wire/v2/token.ts';
import { anEnrollment, enrolledHost } from '../support/documents.ts';
import { hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import { adminSite, NOW, refusal } from './admin-site.ts';
import { type V1Site, v1Site } from './v1/v1-site.ts';

const test = whenPresent(hasGpg, 'migrate host: no gpg');
const URL = 'https://dome.example/agent_1.0_all.deb';
const FROM_URL = ['--package-url', URL, '--sha256', 'AB'.repeat(32)];

async function siteWith(t: Parameters<typeof v1Site>[0], hostname = 'lap-17'): Promise<V1Site> {
  const site = await v1Site(t);
  await site.store.hosts.storeV1({ hostname, at: NOW, plugins: {}, trail: [] });
  return site;
}

async function moving(site: V1Site): Promise<unknown> {
  const status = Object(await site.json(migrateStatus));
  return status.v1[0].moving;
}

test('a host gets a command of its own, with a token for its name, one use and a day, which waits for approval', async (t) => {
  const site = await siteWith(t);
  const said = Object(await site.json(migrateHost, 'LAP-17', ...FROM_URL));
  const ends = new Date(NOW.getTime() + 86_400_000);
  t.like(said, { hostname: 'lap-17', expires_at: ends.toISOString() });
  const [token, ...more] = await site.store.tokens.list();
  t.deepEqual(more, []);
  t.like(token, { id: said.token, uses: 1, pattern: 'lap-17', approve: false, expires_at: ends });
  const client = await site.client('lap-17');
  await client.update();
  const script = await client.read(`client/commands/${said.command}`);
  const text = /^penguindome1:\S+$/m.exec(script)?.[0] ?? '';
  t.truthy(decodeToken(text));
  for (const part of [`'${URL}'`, 'ab'.repeat(32), "'lap-17'", `-ge ${ends.getTime() / 1000}`])
    t.true(script.includes(part), part);
  t.false(JSON.stringify(said).includes(text.slice(20, 60)), 'the token is not shown');
});

test('said again, what was said before ends: its token, its command where nobody fetched it, and its file where somebody did', async (t) => {
  const site = await siteWith(t);
  const client = await site.client('lap-17');
  const first = Object(await site.json(migrateHost, 'lap-17', ...FROM_URL));
  await client.update();
  t.true(await client.exists(`client/commands/${first.command}`));
  site.clock.set(new Date(NOW.getTime() + 1000));
  const second = Object(await site.json(migrateHost, 'lap-17', ...FROM_URL));
  site.clock.set(new Date(NOW.getTime() + 2000));
  const third = Object(await site.json(migrateHost, 'lap-17', '--from-repository'));
  t.deepEqual(await client.update(), [third.patch]);
  for (const { command } of [first, second]) t.false(await client.exists(`client/commands/${command}`));
  t.true(await client.exists(`client/commands/${third.command}`));
  const valid = (await site.store.tokens.list()).filter(({ revoked_at }) => revoked_at === undefined);
  t.deepEqual(
    valid.map(({ id }) => id),
    [third.token],
  );
});

test('migrate status tells how far a host is', async (t) => {
  const site = await siteWith(t);
  t.is(await moving(site), null);
  const { command } = Object(await site.json(migrateHost, 'lap-17', ...FROM_URL));
  t.like(await moving(site), { state: 'ordered' });
  const client = await site.client('lap-17');
  await client.update();
  t.like(await moving(site), { state: 'fetched' });
  const failed = { stdout: 'a\n', stderr: 'b\nno room\n', returncode: 1 };
  await client.submit({ hostname: 'lap-17', commands: { [command]: failed } });
  t.like(await moving(site), { state: 'failed', why: 'no room' });
  t.regex((await site.run(migrateStatus)).out, /failed, and tries again \(0s ago\): no room/);
  await client.submit({ hostname: 'lap-17', commands: { [command]: { output: 'NOT MOVED: it ended' } } });
  t.like(await moving(site), { state: 'ended', why: 'NOT MOVED: it ended' });
  const enrollment = anEnrollment({ hostname: 'lap-17' });
  await site.store.enrollments.insert(enrollment);
  t.like(await moving(site), { state: 'waits' });
  await site.run(enrollmentRevoke, '--yes', enrollment.key_id);
  site.clock.set(new Date(NOW.getTime() + 2 * 86_400_000));
  t.like(await moving(site), { state: 'ended' });
});

test('who has enrolled, waits, or is not known is not moved, nor without the key and v1', async (t) => {
  const site = await siteWith(t);
  await enrolledHost(site.store, { hostname: 'new' });
  const said = (...args: string[]) => refusal(t, site.run(migrateHost, ...args));
  t.regex(await said('new', '--from-repository'), /new over: it has enrolled already/);
  t.regex(await said('nobody', '--from-repository'), /cannot find a host named nobody/);
  t.regex(await said('lap-17'), /expected --package-url and --sha256, or --from-repository/);
  t.regex(await said('lap-17', '--package-url', URL), /expected --package-url and --sha256/);
  await rm(join(site.folder, 'keys/v1-server.asc'));
  t.regex(await said('lap-17', '--from-repository'), /penguindome migrate` takes the original server's key over/);
  await site.store.enrollments.insert(anEnrollment({ hostname: 'Lap-17' }));
  t.regex(await said('lap-17', '--from-repository'), /waits for approval already/);
  const off = await adminSite(t);
  await off.store.hosts.storeV1({ hostname: 'lap-17', at: NOW, plugins: {}, trail: [] });
  t.regex(await refusal(t, off.run(migrateHost, 'lap-17', '--from-repository')), /settings set v1.enabled true/);
  t.deepEqual(await site.store.tokens.list(), []);
  t.deepEqual(await site.store.patches.pendingFor('lap-17'), []);
});

test('a package is named by a URL of a kind that can be installed, and by its whole SHA-256', async (t) => {
  const site = await siteWith(t);
  for (const url of [
    'file:///x.deb',
    'https://u:p@x/y.deb',
    'https://x/y',
    'https://x/y.deb\nrm',
    'x.deb',
    'ftp://x/y.rpm',
  ]) {
    await t.throwsAsync(site.run(migrateHost, 'lap-17', '--package-url', url, '--sha256', 'ab'.repeat(32)), {
      code: 'commander.invalidArgument',
    });
  }
  await t.throwsAsync(site.run(migrateHost, 'lap-17', '--package-url', URL, '--sha256', 'abc'), {
    code: 'commander.invalidArgument',
  });
});
