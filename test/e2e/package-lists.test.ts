import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { generateSigningKey, loadSigningKey } from '../../src/crypto/ed25519.ts';
import { scratchFolder } from '../support/scratch.ts';
import { realRandom } from '../support/world.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachineWithLists } from './support/needs.ts';
import { run } from './support/packages.ts';
import { installRealUnits, UNITS } from './support/real-units.ts';

/** A package x of two versions, of which the repositories have the second. */
const BUILD = `
  cd "$1"
  for version in 1 2; do
    printf '%s\\n' 'pkgname = x' 'pkgbase = x' "pkgver = $version-1" 'pkgdesc = x' 'url = x' 'builddate = 1' 'packager = x' 'size = 1' \\
      'arch = any' >.PKGINFO
    bsdtar -czf x-$version-1-any.pkg.tar.gz .PKGINFO
    printf '%s\\n' 'Name: x' "Version: $version" 'Release: 1' 'Summary: x' 'License: x' 'BuildArch: noarch' '%description' 'x' '%files' >x.spec
    HOME=$PWD rpmbuild --quiet -bb --define "_topdir $PWD/b" --define "_rpmdir $PWD/rpms" x.spec
  done
  mkdir old
  mv rpms/noarch/x-1-1.noarch.rpm x-1-1-any.pkg.tar.gz old/
  repo-add -q t.db.tar.gz x-2-1-any.pkg.tar.gz
  createrepo_c -q rpms
`;

const SHOWN = '/srv/lists';
const STATE = '/var/lib/penguindome';

interface Family {
  name: 'dnf' | 'pacman';
  release: string;
  files: Record<string, string>;
  /** installs the first version */
  install: string;
  /** what there is of the machine's own lists */
  own: string;
}

const FAMILIES: Family[] = [
  {
    name: 'pacman',
    release: 'NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n',
    files: { '/etc/pacman.conf': `[options]\nArchitecture = auto\nSigLevel = Never\n[t]\nServer = file://${SHOWN}\n` },
    install: `pacman --noconfirm -U ${SHOWN}/old/x-1-1-any.pkg.tar.gz`,
    own: 'ls -A /var/lib/pacman/sync 2>/dev/null || true',
  },
  {
    name: 'dnf',
    release: 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=42\n',
    files: {
      '/etc/yum.repos.d/t.repo': `[t]\nname=t\nbaseurl=file://${SHOWN}/rpms\nenabled=1\ngpgcheck=0\n`,
      // Debian's rpm keeps its database in the home directory.
      '/etc/rpm/macros': '%_dbpath /var/lib/rpm\n',
    },
    install: `mkdir -p /var/lib/rpm; rpm -i --nodeps ${SHOWN}/old/x-1-1.noarch.rpm`,
    own: 'ls -A /var/cache/dnf 2>/dev/null || true',
  },
];

onMachineWithLists(
  'in its sandbox whoever asks outside fetches lists by the real pacman and dnf, which tell of an update that the machine has not heard of',
  async (t) => {
    const machine = await machineWithLists(t);
    for (const family of FAMILIES) await tellsOfUpdates(t, machine, family);
  },
);

async function machineWithLists(t: ExecutionContext): Promise<Machine> {
  const folder = join(await scratchFolder(t), 'lists');
  await mkdir(folder);
  await run('sh', '-euc', BUILD, 'sh', folder);
  await run('chmod', '-R', 'a+rX', folder);
  const machine = await bootMachine(t, { variant: 'lists', binds: { ...UNITS, [folder]: SHOWN }, filters: true });
  await installRealUnits(machine);
  // No server is asked anything here.
  const { publicKey } = loadSigningKey(generateSigningKey());
  const trust = { url: 'https://localhost:9', answer_key: publicKey, order_key: '', host_id: realRandom.uuid() };
  await machine.write('/etc/penguindome/trust.d/server.json', JSON.stringify(trust));
  return machine;
}

async function tellsOfUpdates(t: ExecutionContext, machine: Machine, family: Family): Promise<void> {
  const sh = async (script: string) => (await machine.run(['sh', '-euc', script])).trim();
  const told = async () => JSON.parse(await sh('penguindome-agent collectors run os_updates'));
  await machine.write('/usr/lib/os-release', family.release);
  for (const [path, content] of Object.entries(family.files)) await machine.write(path, content);
  await sh(family.install);
  t.like(await told(), { current: false, patches: 'unknown' }, family.name);
  await sh(`rm -f ${STATE}/due; systemctl start penguindome-collect`);
  t.is(await sh(`cat ${STATE}/asks.json`), '{"asks":["package_lists"]}');
  await sh(`rm -f ${STATE}/online/due ${STATE}/online/package_lists.json; systemctl start penguindome-collect-online`);
  t.like(await told(), { current: true, patches: true }, await sh(`cat ${STATE}/online/package_lists.json`));
  t.is(await sh(family.own), '', 'the lists of the machine itself are as they were');
}
