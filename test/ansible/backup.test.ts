import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { parse } from 'yaml';
import * as z from 'zod';
import { startServer } from '../faults/support/built-server.ts';
import { installSite } from '../faults/support/site.ts';
import { whenPresent } from '../support/needs.ts';
import { hasAnsible, playHere } from './support/play-here.ts';

const asRoot = whenPresent(hasAnsible && process.getuid?.() === 0, 'the playbook for backups needs ansible and root');

const idOf = (flag: '-u' | '-g') => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);

/** A site whose state is another user's, and the folder to which its backups go; `play` runs a playbook for it. */
async function siteOfNobody(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'backup-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [state, backups, bin] = [join(folder, 'state'), join(folder, 'backups'), join(folder, 'bin')];
  for (const each of [folder, state, bin]) await mkdir(each, { recursive: true });
  await chmod(folder, 0o755);
  await chown(state, idOf('-u'), idOf('-g'));
  const site = await installSite(t, { kind: 'embedded', file: join(state, 'penguindome.db') }, { state });
  const program = `exec ${process.execPath} ${join(process.cwd(), 'build/penguindome')} --config ${site.config} "$@"`;
  await writeFile(join(bin, 'penguindome'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  const vars = {
    penguindome_backup_folder: backups,
    penguindome_backup_state: state,
    penguindome_backup_user: 'nobody',
    penguindome_backup_work: join(folder, 'work'),
  };
  const env = { PATH: `${bin}:${process.env['PATH']}` };
  const groups = { penguindome_server: ['dome'] };
  const play = (what: 'backup' | 'restore', more: Record<string, unknown> = {}) =>
    playHere(t, `playbooks/${what}.yml`, { groups, vars: { ...vars, ...more }, env });
  return { site, folder, state, backups, play };
}

asRoot('a backup brings the list of identities, and never what a link in its place names', async (t) => {
  const { folder, state, backups, play } = await siteOfNobody(t);
  const list = join(state, 'identities.log');
  await writeFile(list, '{"event":"enrolled"}\n', { mode: 0o600 });
  await chown(list, idOf('-u'), idOf('-g'));
  const first = await play('backup');
  t.is(first.status, 0, first.said);
  const [name = ''] = (await readdir(backups)).filter((each) => each.endsWith('.identities.log'));
  t.is(await readFile(join(backups, name), 'utf8'), '{"event":"enrolled"}\n');

  const secret = join(folder, 'only-for-root');
  await writeFile(secret, 'the secret\n', { mode: 0o600 });
  await rename(list, `${list}.aside`);
  await symlink(secret, list);
  const second = await play('backup');
  t.not(second.status, 0);
  t.regex(second.said, /identities\.log: Permission denied/);
  for (const each of await readdir(backups))
    t.false((await readFile(join(backups, each))).includes('the secret'), each);
});

asRoot(
  'a restore adds the saved identities to those that the server has, and none where the backup is no whole one',
  async (t) => {
    const { site, folder, state, backups, play } = await siteOfNobody(t);
    await startServer(t, site);
    const made = await play('backup');
    t.is(made.status, 0, made.said);
    const [name = ''] = (await readdir(backups)).filter((each) => each.endsWith('.gz'));
    const file = join(backups, name);
    const saved = '{"event":"revoked","key_id":"of-somebody","at":"2026-11-20T10:00:00.000Z"}\n';
    await writeFile(`${file}.identities.log`, saved);
    const own = join(state, 'identities.log');
    const since = '{"event":"revoked","key_id":"of-another","at":"2026-11-21T10:00:00.000Z"}\n';
    await writeFile(own, since);
    const { local_port } = z.object({ local_port: z.number() }).parse(parse(await readFile(site.config, 'utf8')));
    const vars = {
      penguindome_restore_confirmed: 'replace',
      penguindome_restore_first_back_up: false,
      penguindome_restore_local_port: local_port,
      penguindome_restore_work: join(folder, 'work'),
    };
    const cut = join(folder, 'cut.gz');
    await writeFile(cut, (await readFile(file)).subarray(0, -20));
    await writeFile(`${cut}.identities.log`, saved);
    const refused = await play('restore', { ...vars, penguindome_restore_file: cut });
    t.not(refused.status, 0);
    t.is(await readFile(own, 'utf8'), since, refused.said);

    const restored = await play('restore', { ...vars, penguindome_restore_file: file });
    t.is(restored.status, 0, restored.said);
    t.is(await readFile(own, 'utf8'), since + saved);
  },
);
