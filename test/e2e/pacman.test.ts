import { access, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratchFolder } from '../support/scratch.ts';
import { onRootOfPacman } from './support/needs.ts';
import { buildPackages, run, sameAgain } from './support/packages.ts';
import { rootfs } from './support/rootfs.ts';

/** A root file system that pacman may write to, over a tree that stays as it is. */
async function writableRoot(t: ExecutionContext): Promise<string> {
  const tree = await rootfs('trixie');
  const scratch = await scratchFolder(t);
  const root = join(scratch, 'root');
  await run('mkdir', root, join(scratch, 'rest'));
  await run('mount', '-t', 'tmpfs', 'tmpfs', join(scratch, 'rest'));
  t.teardown(async () => void (await run('umount', '-l', join(scratch, 'rest'))));
  await run('mkdir', join(scratch, 'rest/upper'), join(scratch, 'rest/work'));
  const layers = `lowerdir=${tree},upperdir=${scratch}/rest/upper,workdir=${scratch}/rest/work`;
  await run('mount', '-t', 'overlay', 'overlay', '-o', layers, root);
  t.teardown(async () => void (await run('umount', '-l', root)));
  await run('mkdir', '-p', join(root, 'var/lib/pacman'));
  return root;
}

/** On a Debian tree nothing that packages depend on is pacman's. */
const ASSUMED = ['gcc-libs=99', 'glibc=99', 'nodejs=20.19', 'systemd=252', 'util-linux=2.38'].flatMap((each) => [
  '--assume-installed',
  each,
]);

const there = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

onRootOfPacman(
  'pacman installs, upgrades and removes both packages in a root of its own; built again they are the same',
  async (t) => {
    const packages = await buildPackages(t, 'arch');
    await sameAgain(t, packages, 'arch');
    const { built } = packages;
    t.timeout(240_000, 'pacman');
    const root = await writableRoot(t);
    const files = (await readdir(join(built, 'arch'))).map((name) => join(built, 'arch', name));
    const own = [
      '--root',
      root,
      '--dbpath',
      join(root, 'var/lib/pacman'),
      '--hookdir',
      join(root, 'usr/share/libalpm/hooks'),
      '--noconfirm',
    ];
    const said = await run('pacman', ...own, ...ASSUMED, '-U', ...files);
    t.regex(said, /enrollment-token/, 'it says what to do next');
    t.is((await run('pacman', ...own, '-Q')).trim(), 'penguindome-agent 0.1.0-1\npenguindome-server 0.1.0-1');
    t.regex(await run('pacman', ...own, '-Qkk'), /penguindome-server: \d+ total files, 0 altered files/);

    // Arch's systemd package brings pacman hooks that do this.
    await run('systemd-sysusers', `--root=${root}`);
    await run('systemd-tmpfiles', `--root=${root}`, '--create', 'penguindome-agent.conf', 'penguindome-server.conf');
    const passwd = await readFile(join(root, 'etc/passwd'), 'utf8');
    for (const user of ['penguindome', 'penguindome-online', 'penguindome-server'])
      t.regex(passwd, new RegExp(`^${user}:`, 'm'));
    t.is((await stat(join(root, 'var/lib/penguindome/submit'))).mode & 0o7777, 0o700);
    await run('systemctl', `--root=${root}`, 'enable', 'penguindome-agent.target');
    for (const name of ['collect.timer', 'collect-online.timer', 'submit.path', 'enroll.timer']) {
      t.true(await there(join(root, 'etc/systemd/system/penguindome-agent.target.wants')), name);
      t.is((await run('systemctl', `--root=${root}`, 'is-enabled', `penguindome-${name}`)).trim(), 'enabled');
    }
    const cache = join(root, 'usr/lib/penguindome/bin/penguindome-agent.code-cache');
    t.true(await there(cache), 'the hook has compiled the agent');
    for (const program of ['penguindome', 'penguindome-agent', 'penguindome-server']) {
      t.is((await run('chroot', root, program, '--version')).trim(), '0.1.0');
    }

    await run('sh', '-c', 'echo "collect_interval: 5m" >"$1/etc/penguindome/agent.yml"', 'sh', root);
    await run('pacman', ...own, ...ASSUMED, '-U', ...files);
    t.is(await readFile(join(root, 'etc/penguindome/agent.yml'), 'utf8'), 'collect_interval: 5m\n');
    await run('pacman', ...own, '-R', 'penguindome-agent', 'penguindome-server');
    t.false(await there(join(root, 'usr/lib/penguindome')));
    t.true(await there(join(root, 'etc/penguindome/agent.yml')), 'what is not of the package stays');
  },
);
