import { copyFile, lstat, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { onRootOfPacman } from './support/needs.ts';
import { buildPackages, commandsOf, run, sameAgain } from './support/packages.ts';
import { writableRoot } from './support/writable-root.ts';

const PAGE = 'docs/install.md';

/** On a Debian tree nothing that packages depend on is pacman's. */
const ASSUMED = ['gcc-libs=99', 'glibc=99', 'nodejs=20.19', 'systemd=252', 'util-linux=2.38'].flatMap((each) => [
  '--assume-installed',
  each,
]);

/** Whether it is there: links lead to what is in the root. */
const there = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );

onRootOfPacman(
  'pacman installs, upgrades and removes both packages in a root of its own; built again they are the same',
  async (t) => {
    const packages = await buildPackages(t, 'arch');
    await sameAgain(t, packages, 'arch');
    const { built, folder } = packages;
    t.timeout(240_000, 'pacman');
    const root = await writableRoot(t);
    await mkdir(join(root, 'var/lib/pacman'), { recursive: true });
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
      t.true(await there(join(root, 'etc/systemd/system/penguindome-agent.target.wants', `penguindome-${name}`)), name);
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

    await typesThePage(t, root, folder);
    t.is((await run('pacman', ...own, '-Q')).trim(), 'penguindome-agent 0.1.0-1');
    t.is((await stat(join(root, 'etc/penguindome/enrollment-token'))).mode & 0o777, 0o600);
    t.is((await run('systemctl', `--root=${root}`, 'is-enabled', 'penguindome-agent.target')).trim(), 'enabled');
  },
);

/** The page's lines, from the signed repository, for a root that does not run. */
async function typesThePage(t: ExecutionContext, root: string, folder: string): Promise<void> {
  const gnupg = join(root, 'etc/pacman.d/gnupg');
  const config = join(root, 'etc/pacman.conf');
  await mkdir(gnupg, { recursive: true });
  t.teardown(async () => void (await run('gpgconf', '--homedir', gnupg, '--kill', 'all')));
  await writeFile(config, `[options]\nArchitecture = auto\nSigLevel = Required\nGPGDir = ${gnupg}\n`);
  const repository = await readFile(join(folder, 'arch/penguindome.conf'), 'utf8');
  const here = join(root, 'root');
  await writeFile(
    join(here, 'penguindome.conf'),
    repository.replace(/^Server = .*$/m, `Server = file://${folder}/arch/$arch`),
  );
  await copyFile(join(folder, 'penguindome.asc'), join(here, 'penguindome.asc'));
  await writeFile(join(here, 'token'), 'a token\n');
  const forRoot: [what: RegExp, instead: string][] = [
    [/\/etc\//g, `${root}/etc/`],
    [/^pacman-key /, `pacman-key --config ${config} `],
    [/^pacman /, `pacman --noconfirm --root ${root} --config ${config} --cachedir ${here} ${ASSUMED.join(' ')} `],
    [/^systemctl enable --now /, `systemctl --root=${root} enable `],
  ];
  await run('pacman-key', '--config', config, '--init');
  for (const line of await commandsOf(PAGE, 'Arch Linux')) {
    const command = forRoot.reduce((text, [what, instead]) => text.replace(what, instead), line);
    await run('bash', '-c', `cd ${here} && ${command}`);
  }
}
