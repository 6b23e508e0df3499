import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkWish, makePatch, type Wish } from '../../../src/admin/v1/make-patch.ts';
import { readOutcomes, type V1Outcome } from '../../../src/admin/v1/outcomes.ts';
import type { PatchRecord } from '../../../src/core/patch.ts';
import { hasGpg } from '../../support/gpg.ts';
import { whenPresent } from '../../support/needs.ts';
import { STORE_KINDS } from '../../support/stores.ts';
import { NOW, refusal } from '../admin-site.ts';
import { type V1Site, v1Site } from './v1-site.ts';

const bytes = (text: string) => Buffer.from(text);

async function ordered(site: V1Site, wish: Wish, hosts: string[]): Promise<PatchRecord> {
  for (const hostname of hosts) {
    if ((await site.store.hosts.find(hostname)) === undefined)
      await site.store.hosts.storeV1({ hostname, at: NOW, plugins: {}, trail: [] });
  }
  return site.with((context) => makePatch(context, wish, { hosts, by: 'ann', why: 'a test' }));
}

async function outcomes({ store }: V1Site, { id }: PatchRecord): Promise<V1Outcome[]> {
  const patch = await store.patches.find(id);
  return patch === undefined ? [] : readOutcomes(store, patch);
}

for (const kind of STORE_KINDS) {
  const url = kind === 'mongo standalone' ? 'STANDALONE' : 'REPLICA_SET';
  const there = !kind.startsWith('mongo') || process.env[`PENGUINDOME_TEST_MONGO_${url}`] !== undefined;
  const test = whenPresent(hasGpg && there, `patches for original clients on ${kind}: no gpg or mongod`);

  test(`${kind}: an original client takes a patch whose files gpg finds good, and acknowledges it`, async (t) => {
    const site = await v1Site(t, kind);
    const client = await site.client('penguin-01');
    const files = [
      { path: 'client/plugins/new.py', mode: 0o755, content: bytes('#!/usr/bin/env python3\n') },
      { path: 'penguindome/data', mode: 0o644, content: Buffer.from([0, 255, 10]) },
    ];
    const patch = await ordered(site, { purpose: 'patch', files, removed: [] }, ['penguin-01', 'penguin-02']);
    t.deepEqual(await client.update(), [patch.id]);
    t.is(await client.read('client/plugins/new.py'), '#!/usr/bin/env python3\n');
    t.is((await stat(join(client.dir, 'client/plugins/new.py'))).mode & 0o777, 0o755);
    t.deepEqual(await client.ask(), { status: 'current' }, 'it is not given again');
    const second = await ordered(site, { purpose: 'patch', files: [], removed: ['client/plugins/new.py'] }, [
      'penguin-01',
    ]);
    t.deepEqual(await client.update(), [second.id]);
    t.false(await client.exists('client/plugins/new.py'));
    t.false(await client.exists('signatures/client/plugins/new.py.sig'));
    t.deepEqual(
      (await outcomes(site, patch)).map(({ hostname, state }) => `${hostname} ${state}`),
      ['penguin-01 done', 'penguin-02 queued'],
    );
  });

  test(`${kind}: a one-time command is run by an original client, and what it said is its result`, async (t) => {
    const site = await v1Site(t, kind);
    const client = await site.client('penguin-01');
    const content = bytes('#!/bin/sh\necho well\n');
    const patch = await ordered(site, { purpose: 'command', name: 'look', content }, ['penguin-01']);
    t.regex(patch.command ?? '', /^look-[0-9a-f]{12}$/);
    t.deepEqual(await outcomes(site, patch), [
      { order: patch.id, hostname: 'penguin-01', state: 'queued', at: patch.submitted_at },
    ]);
    await client.update();
    t.like((await outcomes(site, patch))[0], { state: 'fetched' });
    t.is((await stat(join(client.dir, `client/commands/${patch.command}`))).mode & 0o777, 0o700);
    t.deepEqual(await client.runCommands(), { [patch.command ?? '']: { output: 'well\n' } });
    t.false(await client.exists(`client/commands/${patch.command}`));
    const stdout = { text: 'well\n', bytes: 5, truncated: false };
    t.like((await outcomes(site, patch))[0], { state: 'done', report: { exit_status: 0, stdout } });
  });

  test(`${kind}: a command that fails stays there and runs again, until it succeeds or is taken away`, async (t) => {
    const site = await v1Site(t, kind);
    const client = await site.client('penguin-01');
    const file = join(client.dir, 'ready');
    const content = bytes(`#!/bin/sh\ntest -e ${file} && exit 0\necho no >&2\nexit 7\n`);
    const patch = await ordered(site, { purpose: 'command', name: 'wait', content }, ['penguin-01']);
    await client.update();
    await client.runCommands();
    const stderr = { text: 'no\n', bytes: 3, truncated: false };
    t.like((await outcomes(site, patch))[0], { state: 'failed', report: { exit_status: 7, stderr } });
    await writeFile(file, '');
    await client.runCommands();
    t.like((await outcomes(site, patch))[0], { state: 'done' });
    t.deepEqual(await client.runCommands(), {});
  });

  test(`${kind}: a cancelled patch is given to no original client any more`, async (t) => {
    const site = await v1Site(t, kind);
    const client = await site.client('penguin-01');
    const patch = await ordered(site, { purpose: 'command', name: 'look', content: bytes('#!/bin/sh\n') }, [
      'penguin-01',
    ]);
    t.deepEqual(await site.store.patches.cancel(patch.id), ['penguin-01']);
    t.deepEqual(await client.ask(), { status: 'current' });
    t.like((await outcomes(site, patch))[0], { state: 'cancelled' });
  });

  test(`${kind}: patches are given in the order in which they were made`, async (t) => {
    const site = await v1Site(t, kind);
    const client = await site.client('penguin-01');
    const made: string[] = [];
    for (const text of ['one', 'two', 'three']) {
      const files = [{ path: 'client/x', mode: 0o644, content: bytes(text) }];
      made.push((await ordered(site, { purpose: 'patch', files, removed: [] }, ['penguin-01'])).id);
      site.clock.set(new Date(site.clock.now().getTime() + 1));
    }
    t.deepEqual(await client.update(), made);
    t.is(await client.read('client/x'), 'three');
  });
}

const test = whenPresent(true, '');

test('a file is never taken without its signature, nor one that another signature covers', async (t) => {
  const site = await v1Site(t);
  const client = await site.client('penguin-01');
  const files = [{ path: 'client/x', mode: 0o644, content: bytes('good') }];
  await ordered(site, { purpose: 'patch', files, removed: [] }, ['penguin-01']);
  const answer = await client.ask();
  const patches = (answer.patches ?? []).map((patch) => ({
    ...patch,
    files: patch.files.map((file) => (file.path === 'client/x' ? { ...file, content: 'YmFk' } : file)),
  }));
  await t.throwsAsync(client.take({ ...answer, patches }), { message: /BAD signature/ });
  t.deepEqual(
    (await client.ask()).patches?.map(({ id }) => id),
    answer.patches?.map(({ id }) => id),
    'not acknowledged',
  );
});

test('what the original client would refuse, or could be harmed by, is refused before anything is stored', async (t) => {
  const site = await v1Site(t);
  const content = bytes('x');
  const bad = [
    ...[
      '/etc/passwd',
      '../x',
      'client/../../x',
      'client',
      'client/',
      'client//x',
      'client/./x',
      'signatures/client/x.sig',
      'server/x',
      'client/a\nb',
    ].map((path) => ({ purpose: 'patch' as const, files: [{ path, mode: 0o644, content }], removed: [] })),
    { purpose: 'patch' as const, files: [], removed: ['../x'] },
    { purpose: 'patch' as const, files: [], removed: [] },
    { purpose: 'patch' as const, files: [{ path: 'client/x', mode: 0o644, content }], removed: ['client/x'] },
    {
      purpose: 'patch' as const,
      files: [{ path: 'client/x', mode: 0o644, content: Buffer.alloc(5 * 1024 * 1024) }],
      removed: [],
    },
    ...['', 'a.b', 'a/b', '..', 'ä'].map((name) => ({ purpose: 'command' as const, name, content })),
  ];
  for (const wish of bad) {
    t.throws(() => checkWish(wish), { name: 'OperatorError' }, JSON.stringify(wish).slice(0, 80));
    t.regex(await refusal(t, ordered(site, wish, ['penguin-01'])), /cannot make that patch/);
  }
  t.deepEqual(await site.store.patches.pendingFor('penguin-01'), []);
});
