import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { days } from '../../src/core/duration.ts';
import { holdLock, type OrdersSite, ordersSite } from './orders-site.ts';

async function folderOf(site: OrdersSite): Promise<string> {
  await site.file('set/plugins/raid', '#!/bin/sh\necho 1\n');
  await site.file('set/settings/raid.yml', 'submit_interval: 5m\n', 0o640);
  await site.file('set/.git/config', 'left out');
  return join(dirname(site.folder), 'set');
}

test('a release is the whole of a folder, numbered, for all hosts, and counts for 90 days', async (t) => {
  const site = await ordersSite(t, { v1: ['old-1'] });
  const folder = await folderOf(site);
  t.like(await site.json('release', 'publish', folder, '--yes', '--why', 'raid'), {
    kind: 'release',
    release: 1,
    difference: { added: ['plugins/raid', 'settings/raid.yml'], changed: [], removed: [] },
  });
  const { manifest, order, targets } = await site.only(t);
  t.like(manifest, {
    kind: 'release',
    number: 1,
    targets: 'all',
    files: [
      { path: 'plugins/raid', mode: 0o755 },
      { path: 'settings/raid.yml', mode: 0o640 },
    ],
  });
  t.is(order.expires_at.getTime() - order.made_at.getTime(), days(90));
  t.deepEqual(
    targets.map(({ hostname }) => hostname),
    ['desk-1', 'lap-17', 'lap-18'],
    'those there are now are told at once',
  );
});

test('each release is compared with the last one; --dry-run only shows that', async (t) => {
  const site = await ordersSite(t);
  const folder = await folderOf(site);
  await site.ok('release', 'publish', folder, '--yes');
  await site.file('set/plugins/raid', '#!/bin/sh\necho 2\n');
  await site.file('set/commands/collect', '#!/bin/sh\n');
  await rm(join(folder, 'settings'), { recursive: true });
  const out = await site.ok('release', 'publish', folder, '--dry-run');
  t.regex(out, /release 2, after 1:\n {2}\+ commands\/collect\n {2}~ plugins\/raid\n {2}- settings\/raid\.yml\n/);
  t.like(await site.json('release', 'publish', folder, '--dry-run'), { release: 2, last: 1 });
  t.is((await site.orders()).length, 1);
  t.regex(
    await site.refused(t, 'release', 'publish', folder),
    /cannot ask "Give release 2 to every host \(3 now\)\?.*--yes/,
  );
  await site.ok('release', 'publish', folder, '--yes');
  t.like(await site.json('release', 'show'), {
    release: 2,
    difference: { added: ['commands/collect'], changed: ['plugins/raid'], removed: ['settings/raid.yml'] },
  });
  t.regex(await site.ok('release', 'show', '1'), /release +1; what it does not hold is removed/);
  t.like((await site.json('release', 'list')) as object, [
    { release: 2, files: 2 },
    { release: 1, files: 2 },
  ]);
  t.regex(await site.refused(t, 'release', 'show', '9'), /cannot find release 9/);
});

test('nothing new is published again only where somebody says so', async (t) => {
  const site = await ordersSite(t);
  const folder = await folderOf(site);
  await site.ok('release', 'publish', folder, '--yes');
  t.regex(await site.refused(t, 'release', 'publish', folder, '--yes'), /it is what release 1 is already; --again/);
  await site.ok('release', 'publish', folder, '--yes', '--again');
  t.like(await site.json('release', 'list'), [{ release: 2 }, { release: 1 }]);
});

test('numbers never go back, neither by hand, nor after a cancelled one, nor after the restore of an older store', async (t) => {
  const site = await ordersSite(t);
  const folder = await folderOf(site);
  const backup = join(dirname(site.folder), 'backup.gz');
  await site.ok('backup', backup);
  await site.ok('release', 'publish', folder, '--yes', '--number', '7');
  for (const number of ['7', '6', '1']) {
    const { status, err } = await site.run('release', 'publish', folder, '--yes', '--again', '--number', number);
    t.is(status, 2);
    t.regex(err, /hosts have seen 7 already, and never go back; the next is 8/);
  }
  const { order: seventh } = await site.only(t);
  await site.ok('orders', 'cancel', seventh.id, '--yes');
  t.like(await site.json('release', 'publish', folder, '--dry-run'), { release: 8, last: null });
  await site.ok('restore', '--yes', backup);
  t.deepEqual(await site.json('release', 'list'), []);
  t.like(await site.json('release', 'publish', folder, '--yes'), { release: 8 });
  await writeFile(join(site.folder, 'state/release-number'), 'many');
  t.regex(
    await site.refused(t, 'release', 'publish', folder, '--yes'),
    /cannot use .*release-number: it holds no number/,
  );
});

test('of two who publish at once, one has published, and the other is told so', async (t) => {
  const site = await ordersSite(t);
  const folder = await folderOf(site);
  const lock = await holdLock(site);
  const both = ['one', 'two'].map((why) => site.run('release', 'publish', folder, '--yes', '--why', why));
  await lock.waiting(2);
  await lock.release();
  const ran = (await Promise.all(both)).sort((a, b) => a.status - b.status);
  t.deepEqual(
    ran.map(({ status }) => status),
    [0, 1],
  );
  t.regex(
    ran[1]?.err ?? '',
    /cannot publish release 1: somebody published one just now; look at penguindome release list/,
  );
  t.like(await site.json('release', 'list'), [{ release: 1 }]);
});

test('a number that somebody wrote into the store does not make the next release the last one', async (t) => {
  const site = await ordersSite(t);
  const folder = await folderOf(site);
  await site.ok('release', 'publish', folder, '--yes');
  const { order, targets } = await site.only(t);
  const [id, release] = [order.id.replace(/^.{8}/, 'ffffffff'), Number.MAX_SAFE_INTEGER - 1];
  const manifest = order.manifest.replace(order.id, id).replace('"number":1,', `"number":${release},`);
  const made_at = new Date(order.made_at.getTime() + 1);
  t.true(await site.db.orders.insert({ ...order, id, release, manifest, made_at }, targets));
  t.regex(
    await site.refused(t, 'release', 'publish', folder, '--again', '--yes'),
    /the store holds release 9007199254740990, which this server never made/,
  );
});

test('an empty folder is a release too: hosts lose all they had', async (t) => {
  const site = await ordersSite(t, { v2: [] });
  const folder = await folderOf(site);
  t.is(await site.json('release', 'show'), null);
  await site.ok('release', 'publish', folder, '--yes');
  await rm(folder, { recursive: true });
  await mkdir(folder);
  t.like(await site.json('release', 'publish', folder, '--yes'), {
    difference: { added: [], removed: ['plugins/raid', 'settings/raid.yml'] },
  });
});

test('what hosts would not get stops a release', async (t) => {
  const site = await ordersSite(t);
  const folder = await folderOf(site);
  const no = async (make: () => Promise<unknown>, path: string, says: RegExp) => {
    await make();
    const { status, err } = await site.run('release', 'publish', folder, '--yes');
    t.is(status, 2, err);
    t.regex(err, says);
    await rm(join(folder, path), { recursive: true });
  };
  await no(
    () => site.file('set/readme', 'x'),
    'readme',
    /a release holds plugins, settings, commands and nothing else/,
  );
  await no(() => site.file('set/plugins/sub/x', 'x'), 'plugins/sub', /it is no file/);
  await no(() => symlink('/etc/passwd', join(folder, 'settings/link')), 'settings/link', /it is no file/);
  await no(() => symlink('/etc', join(folder, 'commands')), 'commands', /it is no folder/);
  await no(() => site.file('set/settings/a b', 'x'), 'settings/a b', /expected a name of letters/);
  await no(() => site.file('set/plugins/plain', '#!/bin/sh\n', 0o644), 'plugins/plain', /cannot be executed/);
  t.regex((await site.run('release', 'publish', `${folder}-none`, '--yes')).err, /ENOENT/);
  t.deepEqual(await site.orders(), []);
});
