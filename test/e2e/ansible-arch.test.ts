import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratchFolder } from '../support/scratch.ts';
import { changesOf, type Inventory, mustPlay } from './support/ansible.ts';
import { bridgeNetwork } from './support/bridge-network.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachinesWithAnsibleAndPacman } from './support/needs.ts';
import { buildPackages } from './support/packages.ts';
import { stopwatch } from './support/stopwatch.ts';

const SHOWN = '/srv/packages';
const DOME = 'dome.example.org';

/** What pacman's hooks of Arch's own systemd package do: users, folders, units. */
const HOOKS: Record<string, [target: string, exec: string]> = {
  '20-systemd-sysusers': ['usr/lib/sysusers.d/*.conf', 'systemd-sysusers'],
  '30-systemd-daemon-reload': ['usr/lib/systemd/system/*', 'systemctl daemon-reload'],
  '30-systemd-tmpfiles': ['usr/lib/tmpfiles.d/*.conf', 'systemd-tmpfiles --create'],
};

/** What Arch's own repository has, so far as packages depend on it, with none of it inside: on this tree those things are Debian's. */
const CORE = `
  mkdir /srv/core && cd /srv/core
  pack() {
    name=$1; shift
    printf '%s\\n' "pkgname = $name" "pkgbase = $name" 'pkgver = 1-1' "pkgdesc = $name" 'url = x' 'builddate = 1' 'packager = x' 'size = 1' 'arch = any' \\
      'group = base-devel' "$@" >.PKGINFO
    bsdtar -czf "$name-1-1-any.pkg.tar.gz" .PKGINFO
  }
  pack debian 'provides = nodejs=20.19' 'provides = systemd=257' 'provides = util-linux=2.41'
  pack base 'depend = debian'
  repo-add --quiet core.db.tar.gz *.pkg.tar.gz
  printf '%s\\n' '[core]' 'SigLevel = Never' 'Server = file:///srv/core' >>/etc/pacman.conf
  pacman --noconfirm -Sy base
  pacman-key --init
`;

/** As a machine with Arch: its pacman and its name of itself, on a Debian tree. */
async function bootArch(t: ExecutionContext): Promise<Machine> {
  const { folder } = await buildPackages(t, 'arch');
  const machine = await bootMachine(t, { variant: 'lists', binds: { [folder]: SHOWN } });
  await machine.write('/usr/lib/os-release', 'NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n');
  for (const [name, [target, exec]] of Object.entries(HOOKS)) {
    const trigger = ['[Trigger]', 'Type = Path', 'Operation = Install', 'Operation = Upgrade', `Target = ${target}`];
    const action = ['[Action]', 'When = PostTransaction', `Exec = /usr/bin/${exec}`];
    await machine.write(`/usr/share/libalpm/hooks/${name}.hook`, [...trigger, ...action, ''].join('\n'));
  }
  await machine.run(['sh', '-euc', CORE]);
  return machine;
}

/** A server from files of packages, with a time for backups and a check of the site's own; its machine reaches no repository. */
async function serverVars(t: ExecutionContext): Promise<Record<string, unknown>> {
  const { built } = await buildPackages(t, 'deb');
  const [file = ''] = (await readdir(join(built, 'deb'))).filter((name) => /^penguindome-server_.*\.deb$/.test(name));
  const checks = join(await scratchFolder(t), 'firewall.yaml');
  await writeFile(checks, 'overrides: firewall-disabled\nseverity: low\n');
  return {
    penguindome_server_backup_time: '*-*-* 02:17:00',
    penguindome_server_checks_files: [checks],
    penguindome_server_host_names: [DOME],
    penguindome_server_package_files: [join(built, 'deb', file)],
  };
}

onMachinesWithAnsibleAndPacman(
  'a server from files of packages, with checks and a time for backups of the site, and an agent on Arch from the signed repository; a second run changes nothing',
  async (t) => {
    const network = await bridgeNetwork(t);
    const lap = stopwatch(t);
    const [dome, arch] = await Promise.all([bootMachine(t), bootArch(t)]);
    await dome.run(['sh', '-c', 'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*']);
    const address = await network.join(dome);
    await network.join(arch);
    for (const machine of [dome, arch]) await machine.run(['sh', '-c', `echo ${address} ${DOME} >>/etc/hosts`]);
    await arch.run(['hostname', 'arch-1']);
    t.timeout(600_000, 'machines that hang');
    lap('two machines');
    const { folder } = await buildPackages(t, 'arch');
    const key = await readFile(join(folder, 'penguindome.asc'), 'utf8');
    const inventory: Inventory = {
      hosts: {
        dome: { machine: dome, groups: ['penguindome_server'] },
        'arch-1': { machine: arch, groups: ['penguindome_agents'] },
      },
      groupVars: {
        penguindome_agents: { penguindome_repository: { url: `file://${SHOWN}`, key } },
        penguindome_server: await serverVars(t),
      },
    };
    await mustPlay(inventory, { diff: true });
    lap('the first run');
    t.is(changesOf(await mustPlay(inventory)), 0);
    lap('a second run');

    t.regex(await arch.run(['pacman', '-Qi', 'penguindome-agent']), /^Validated By\s*: Signature$/m);
    t.is(await arch.run(['systemctl', 'is-active', 'penguindome-agent.target']), 'active\n');
    t.regex(await dome.run(['penguindome', '--json', 'hosts', 'show', 'arch-1']), /"submitted_at": "/);
    t.regex(await dome.run(['penguindome', '--json', 'checks', 'show', 'firewall-disabled']), /"severity": "low"/);
    const next = await dome.run(['systemctl', 'show', '--property=TimersCalendar', 'penguindome-backup.timer']);
    t.regex(next, /OnCalendar=\*-\*-\* 02:17:00/);
    t.is(next.trim().split('\n').length, 1, 'at no other time');
    await dome.run(['systemctl', 'start', 'penguindome-backup.service']);
    t.regex(await dome.run(['ls', '/var/backups/penguindome']), /\.gz$/m);
  },
);
