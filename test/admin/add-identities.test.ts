import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { addIdentities } from '../../src/admin/add-identities.ts';
import { backup } from '../../src/admin/backup.ts';
import type { AdminContext } from '../../src/admin/context.ts';
import { restore } from '../../src/admin/restore.ts';
import { openIdentityLog } from '../../src/store/identity-log.ts';
import { anEnrollment, enrolledHost } from '../support/documents.ts';
import { scratchFolder } from '../support/scratch.ts';
import { adminSite, NOW, refusal } from './admin-site.ts';

const ago = (ms: number) => new Date(NOW.getTime() - ms);
const restoreAtOnce = (context: AdminContext) => restore(context, 0);

/** A site with a backup, and a list that was saved with it: of a host that was lost, and found since; of one revoked, and of one that enrolled. */
async function siteWithList(t: ExecutionContext) {
  const site = await adminSite(t, 'embedded');
  const [found, revoked] = [await enrolledHost(site.store), await enrolledHost(site.store)];
  const file = join(site.folder, 'backup.gz');
  await site.run(backup, file);
  const saved = openIdentityLog(join(site.folder, 'saved.log'));
  const of = ({ identity, key_id }: typeof found) => ({ key_id, host_id: identity.host_id });
  const { key_id, host_id, public_key } = anEnrollment();
  await saved.append({ event: 'lost', ...of(found), at: ago(5000) });
  await saved.append({ event: 'revoked', key_id: revoked.key_id, at: ago(4000), why: 'stolen' });
  await saved.append({ event: 'enrolled', key_id, host_id, hostname: 'since', public_key, at: ago(3000) });
  await site.identities.append({ event: 'found', ...of(found), at: ago(2000) });
  const own = join(site.folder, 'state/identities.log');
  return { site, file, list: join(site.folder, 'saved.log'), own, found, revoked, text: () => readFile(own, 'utf8') };
}

test('a restore adds the identities of a saved list to the end of the own one, once, and counts them by their time', async (t) => {
  const { site, file, list, own, found, revoked, text } = await siteWithList(t);
  const [before, { ino }] = [await text(), await stat(own)];
  const said = Object(await site.json(restoreAtOnce, '--yes', '--identities', list, file));
  t.deepEqual(
    said.pending.map(({ hostname }: { hostname: string }) => hostname),
    ['since'],
  );
  t.is(said.revoked, 1);
  t.deepEqual((await site.store.hosts.find(revoked.hostname))?.identity?.keys[0]?.revoked_at, ago(4000));
  t.is((await site.store.hosts.find(found.hostname))?.identity?.lost_at, undefined, 'it was found after that');
  const after = await text();
  t.is(after, before + (await readFile(list, 'utf8')));
  t.is((await stat(own)).ino, ino, 'nobody ever rewrites it');
  await site.run(restoreAtOnce, '--yes', '--identities', list, file);
  t.is(await text(), after);
});

test('a backup that is refused, and a list that is not there, leave the own list as it is', async (t) => {
  const { site, file, list, text } = await siteWithList(t);
  const before = await text();
  const cut = join(site.folder, 'cut.gz');
  await writeFile(cut, (await readFile(file)).subarray(0, -20));
  await t.throwsAsync(site.run(restoreAtOnce, '--yes', '--identities', list, cut));
  t.is(await text(), before);
  const missing = site.run(restoreAtOnce, '--yes', '--identities', `${list}.none`, file);
  t.regex(await refusal(t, missing), /cannot read the list of identities .*none: there is no such file/);
  t.is(await text(), before);
});

test('what a link in the place of the list names is not written to', async (t) => {
  const folder = await scratchFolder(t);
  const [other, path] = [join(folder, 'other'), join(folder, 'identities.log')];
  await writeFile(other, 'of somebody else\n');
  await symlink(other, path);
  const event = { event: 'revoked' as const, key_id: anEnrollment().key_id, at: NOW };
  await t.throwsAsync(addIdentities(openIdentityLog(path), [event]), { message: /cannot write the list .*ELOOP/ });
  t.is(await readFile(other, 'utf8'), 'of somebody else\n');
});
