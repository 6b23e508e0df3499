import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { hasGpg } from '../../support/gpg.ts';
import { whenPresent } from '../../support/needs.ts';
import { type OriginalClient, originalClient } from '../../support/original-client.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { fixtureClientKey, startTestServer } from '../../support/server.ts';
import { type OrdersSite, ordersSite } from '../orders-site.ts';

const test = whenPresent(hasGpg, 'orders for hosts of both kinds: no gpg');
const KEYS = 'test/fixtures/penguindome-v1';

/** lap-17 has enrolled, old-1 and old-2 run the original client. */
async function mixedSite(t: ExecutionContext): Promise<{ site: OrdersSite; client: OriginalClient }> {
  const site = await ordersSite(t, { v2: ['lap-17'], v1: ['old-1', 'old-2'] });
  await site.ok('migrate', '--server-key', `${KEYS}/server-secret.asc`, '--client-key', `${KEYS}/client-public.asc`);
  const server = await startTestServer(t, {
    store: site.db,
    settings: { state: join(site.folder, 'state') },
    v1Keys: await fixtureClientKey(),
  });
  return { site, client: await originalClient(t, { url: server.url, hostname: 'old-1', now: new Date() }) };
}

test('one command reaches hosts of both kinds: an order for those that have enrolled, a patch for the others', async (t) => {
  const { site, client } = await mixedSite(t);
  const args = ['command', 'echo well', '--host', 'lap-17', 'old-*', '--yes', '--why', 'a test'];
  const said = Object(await site.json(...args));
  t.like(said, { kind: 'command', hosts: [{ hostname: 'lap-17' }], v1: { hosts: ['old-1', 'old-2'] } });
  const { order, targets } = await site.only(t);
  t.is(order.id, said.order);
  t.deepEqual(
    targets.map(({ hostname }) => hostname),
    ['lap-17'],
  );
  t.like((await site.json('log', 'list', '--command', 'command')) as object, [{ hosts: ['lap-17', 'old-1', 'old-2'] }]);

  t.deepEqual(await client.update(), [said.v1.patch]);
  t.deepEqual(await client.runCommands(), { [said.v1.command]: { output: 'well\n' } });
  const shown = Object(await site.json('orders', 'show', said.v1.patch));
  t.like(shown, { id: said.v1.patch, protocol: 'v1', kind: 'command', why: 'a test' });
  t.like(shown.targets, [
    { hostname: 'old-1', state: 'done', report: { exit_status: 0, stdout: { text: 'well\n' } } },
    { hostname: 'old-2', state: 'queued' },
  ]);
  t.regex(
    await site.ok('orders', 'show', said.v1.patch.slice(0, 12), '--host', 'old-1'),
    /old-1 +done: exit status 0[\s\S]*stdout:\n {2}well/,
  );
});

test('orders list has both, newest first; a patch is cancelled by its id, too', async (t) => {
  const { site, client } = await mixedSite(t);
  const said = Object(await site.json('command', 'true', '--all', '--yes'));
  const { patch } = said.v1;
  const ids = async (...args: string[]) =>
    ((await site.json('orders', 'list', ...args)) as { id: string }[]).map(({ id }) => id).sort();
  t.deepEqual(await ids(), [said.order, patch].sort());
  t.deepEqual(await ids('--kind', 'patch'), []);
  t.regex(await site.ok('orders', 'list'), new RegExp(`${patch} +command \\(v1\\) .* 2 +2 queued`));
  t.like(await site.json('orders', 'cancel', patch, '--yes'), { patch, cancelled: 2, fetched: [] });
  t.deepEqual(await client.ask(), { status: 'current' });
  t.deepEqual(await ids('--open'), [said.order]);
  t.regex((await site.run('orders', 'cancel', patch, '--yes')).err, /no host has yet to fetch it/);
});

test('--wait shows what the original client tells, and its failure is a failure', async (t) => {
  const { site, client } = await mixedSite(t);
  const waiting = site.run('command', 'echo no >&2; exit 3', '--host', 'old-1', '--wait-for', '1m');
  let applied: string[] = [];
  while (applied.length === 0) applied = await client.update();
  await client.runCommands();
  const { status, out, err } = await waiting;
  t.is(status, 1);
  t.regex(out, /old-1: failed: exit status 3\n {2}stderr:\n {4}no/);
  t.regex(err, /1 of 1 hosts did not do it: old-1/);
});

test('a patch of plugins lies where the original client has them; settings have no place there', async (t) => {
  const { site, client } = await mixedSite(t);
  const plugin = await site.file('plugins/raid', '#!/bin/sh\n');
  await site.ok('patch', plugin, '--host', 'old-1', 'lap-17');
  await client.update();
  t.is(await client.read('client/plugins/raid'), '#!/bin/sh\n');
  await site.ok('patch', '--remove', 'plugins/raid', '--host', 'old-1');
  await client.update();
  t.false(await client.exists('client/plugins/raid'));
  const settings = await site.file('settings/raid.yml', 'submit_interval: 5m\n', 0o644);
  const { status, err } = await site.run('patch', settings, '--host', 'old-1', 'lap-17');
  t.is(status, 2);
  t.regex(err, /settings\/raid.yml on hosts that run the original client/);
  t.is((await site.orders()).length, 1, 'nor is it ordered of the others');
});

test('what the original client does not know is refused, and nothing is ordered', async (t) => {
  const { site } = await mixedSite(t);
  for (const flag of [
    ['--not-before', '8h'],
    ['--sign-with', 'nobody@example.org'],
  ]) {
    const { status, err } = await site.run('command', 'true', '--all', '--yes', ...flag);
    t.is(status, 2);
    t.regex(err, new RegExp(`cannot use ${flag[0]}: the original client, which old-1, old-2 still run`));
  }
  t.regex(
    (await site.run('wipe', 'old-1', '--method', 'lock', '--confirm', 'old-1')).err,
    /speaks the original protocol/,
  );
  t.deepEqual(await site.orders(), []);
  t.deepEqual(await site.db.patches.pendingHosts(), []);
});

test('release publish --v1 gives the original clients a release', async (t) => {
  const { site, client } = await mixedSite(t);
  const dir = await scratchFolder(t);
  for (const path of ['client/plugins/x.py', 'penguindome/__init__.py']) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), 'x = 1\n');
  }
  const { v1 } = Object(await site.json('release', 'publish', '--v1', dir, '--yes'));
  t.is(v1.files, 3);
  await client.update();
  t.is(await client.release(), v1.release);
});
