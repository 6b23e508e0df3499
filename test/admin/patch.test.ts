import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ordersSite } from './orders-site.ts';

test('a patch brings files to their places, with the rights they have here but for what others may write, and removes others', async (t) => {
  const site = await ordersSite(t);
  const plugin = await site.file('set/plugins/raid', '#!/bin/sh\n', 0o4777);
  const settings = await site.file('raid.yml', 'plugins: {settings: {raid: {level: 5}}}\n', 0o600);
  await site.ok(
    ...['patch', plugin, `${settings}=settings/raid.yml`, '--remove', 'plugins/old', 'commands/x'],
    ...['--host', 'lap-17', 'lap-18', '--why', 'new controllers'],
  );
  const { manifest, targets, order } = await site.only(t);
  t.like(manifest, {
    kind: 'patch',
    removed: ['plugins/old', 'commands/x'],
    files: [
      { path: 'plugins/raid', mode: 0o755, size: 10 },
      { path: 'settings/raid.yml', mode: 0o600, size: 40 },
    ],
  });
  t.is(targets.length, 2);
  t.is(order.files.length, 2);
  const content = await site.db.orders.readFile(manifest.files[1]?.sha256 ?? '', 0, 100);
  t.is(Buffer.from(content ?? []).toString(), 'plugins: {settings: {raid: {level: 5}}}\n');
});

test('a patch may only remove', async (t) => {
  const site = await ordersSite(t);
  await site.ok('patch', '--remove', 'plugins/old', '--host', 'lap-17');
  t.like((await site.only(t)).manifest, { files: [], removed: ['plugins/old'] });
});

test('what hosts would not take is wrong usage, and nothing is ordered', async (t) => {
  const site = await ordersSite(t);
  const program = await site.file('plugins/raid', '#!/bin/sh\n');
  const no = async (...args: string[]) => {
    const { status, err } = await site.run('patch', ...args, '--host', 'lap-17');
    t.is(status, 2, err);
    return err;
  };
  t.regex(await no(), /expected files, or --remove/);
  for (const place of ['plugins/../x', '/etc/passwd', 'trust.d/x', 'plugins/.hidden', 'plugins/a/b', 'plugins/']) {
    t.regex(await no(`${program}=${place}`), /cannot tell where .* is to go: expected plugins\/NAME/, place);
    t.regex(await no('--remove', place), /cannot remove .*: expected plugins\/NAME/, place);
  }
  t.regex(await no(await site.file('elsewhere', '#!/bin/sh\n')), /cannot tell where/);
  t.regex(await no(program, '--remove', 'plugins/raid'), /plugins\/raid is named twice/);
  t.regex(await no(await site.file('plugins/plain', '#!/bin/sh\n', 0o644)), /cannot be executed; run chmod \+x/);
  t.regex(await no(await site.file('plugins/text', 'text\n')), /hosts could not run it/);
  t.regex(await no(join(site.folder, 'plugins/none')), /cannot read .*ENOENT/);
  t.regex(await no(await site.file('settings/raid.conf', '{}\n')), /hosts would not take it: .*end in .yml alone/);
  t.regex(
    await no(await site.file('settings/raid.yml', 'url: https://evil.example\n')),
    /hosts would not take it: url: /,
  );
  t.regex(await no(await site.file('settings/client-settings.yml', '{}\n')), /penguindome client-settings writes it/);
  t.deepEqual(await site.orders(), []);
});

test('a link is followed to a regular file only', async (t) => {
  const site = await ordersSite(t);
  await site.file('plugins/real', '#!/bin/sh\n');
  const folder = join(site.folder, '../plugins');
  await symlink('real', join(folder, 'link'));
  await symlink('/dev/zero', join(folder, 'device'));
  await site.ok('patch', join(folder, 'link'), '--host', 'lap-17');
  t.like((await site.only(t)).manifest, { files: [{ path: 'plugins/link', size: 10 }] });
  t.regex(await site.refused(t, 'patch', join(folder, 'device'), '--host', 'lap-17'), /it is no regular file/);
});
