import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { installSite } from '../faults/support/site.ts';
import { whenPresent } from '../support/needs.ts';
import { hasAnsible, playHere } from './support/play-here.ts';

const asRoot = whenPresent(hasAnsible && process.getuid?.() === 0, 'the playbook for backups needs ansible and root');

const idOf = (flag: '-u' | '-g') => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);

/** A site whose state is another user's, and the folder to which its backups go; `play` runs playbooks/backup.yml. */
async function siteOfNobody(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'backup-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [state, backups, bin] = [join(folder, 'state'), join(folder, 'backups'), join(folder, 'bin')];
  for (const each of [folder, state, bin]) await mkdir(each, { recursive: true });
  await chmod(folder, 0o755);
  await chown(state, idOf('-u'), idOf('-g'));
  const { config } = await installSite(t, { kind: 'embedded', file: join(state, 'penguindome.db') }, { state });
  const program = `exec ${process.execPath} ${join(process.cwd(), 'build/penguindome')} --config ${config} "$@"`;
  await writeFile(join(bin, 'penguindome'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  const vars = {
    penguindome_backup_folder: backups,
    penguindome_backup_state: state,
    penguindome_backup_user: 'nobody',
    penguindome_backup_work: join(folder, 'work'),
  };
  const env = { PATH: `${bin}:${process.env['PATH']}` };
  const groups = { penguindome_server: ['dome'] };
  return { folder, state, backups, play: () => playHere(t, 'playbooks/backup.yml', { groups, vars, env }) };
}

asRoot('a backup brings the list of identities, and never what a link in its place names', async (t) => {
  const { folder, state, backups, play } = await siteOfNobody(t);
  const list = join(state, 'identities.log');
  await writeFile(list, '{"event":"enrolled"}\n', { mode: 0o600 });
  await chown(list, idOf('-u'), idOf('-g'));
  const first = await play();
  t.is(first.status, 0, first.said);
  const [name = ''] = (await readdir(backups)).filter((each) => each.endsWith('.identities.log'));
  t.is(await readFile(join(backups, name), 'utf8'), '{"event":"enrolled"}\n');

  const secret = join(folder, 'only-for-root');
  await writeFile(secret, 'the secret\n', { mode: 0o600 });
  await rename(list, `${list}.aside`);
  await symlink(secret, list);
  const second = await play();
  t.not(second.status, 0);
  t.regex(second.said, /identities\.log: Permission denied/);
  for (const each of await readdir(backups))
    t.false((await readFile(join(backups, each))).includes('the secret'), each);
});
