import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { whenPresent } from '../../support/needs.ts';
import { LIBFAKETIME } from './libfaketime.ts';
import { OVMF } from './vm/ovmf.ts';

/** Which of these are not here. */
const toolsMissing = (tools: string[]) =>
  tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' }).status !== 0);

/** The same, and root. */
const missingOf = (tools: string[]) => [...(process.getuid?.() === 0 ? [] : ['root']), ...toolsMissing(tools)];

const missing = missingOf(['systemd-nspawn', 'mmdebstrap', 'setpriv', 'unshare', 'nsenter', 'flock']);

/** A test that boots machines. */
export const onMachine = whenPresent(missing.length === 0, `booted machines need ${missing.join(', ')}`);

const missingForLists = [...missing, ...toolsMissing(['bsdtar', 'createrepo_c', 'repo-add', 'rpmbuild'])];

/** A test of a machine with package managers of other distributions, whose repositories are built here. */
export const onMachineWithLists = whenPresent(
  missingForLists.length === 0,
  `machines with pacman and dnf need ${missingForLists.join(', ')}`,
);

const BUILDERS = ['dpkg-buildpackage', 'dh', 'apt-ftparchive', 'gpg', 'lintian'];
const missingForPackages = [...missing, ...toolsMissing(BUILDERS)];

/** A test that builds Debian packages and installs them on booted machines. */
export const onMachineWithPackages = whenPresent(
  missingForPackages.length === 0,
  `packages on booted machines need ${missingForPackages.join(', ')}`,
);

const missingForAnsible = [...missingForPackages, ...toolsMissing(['ansible-playbook'])];

/** A test that has Ansible set up booted machines from packages that were built. */
export const onMachineWithAnsible = whenPresent(
  missingForAnsible.length === 0,
  `machines that Ansible sets up need ${missingForAnsible.join(', ')}`,
);

const missingForAnsibleAndPacman = [...missingForAnsible, ...toolsMissing(['makepkg', 'pacman', 'repo-add'])];

/** The same, of which one has pacman. */
export const onMachinesWithAnsibleAndPacman = whenPresent(
  missingForAnsibleAndPacman.length === 0,
  `machines with apt and pacman that Ansible sets up need ${missingForAnsibleAndPacman.join(', ')}`,
);

const missingForAcme = [...missingForAnsible, ...toolsMissing(['openssl', 'pebble'])];

/** The same, with an ACME authority of its own. */
export const onMachineWithAcme = whenPresent(
  missingForAcme.length === 0,
  `a machine with an ACME authority needs ${missingForAcme.join(', ')}`,
);

const missingForClocks = [...missingForPackages, ...(LIBFAKETIME === undefined ? ['libfaketime'] : [])];

/** A test that installs Debian packages on several booted machines, one of which has a wrong clock. */
export const onMachinesWithClocks = whenPresent(
  missingForClocks.length === 0,
  `packages on machines with clocks of their own need ${missingForClocks.join(', ')}`,
);

const missingForAutopkgtest = [...missingForPackages, ...toolsMissing(['autopkgtest', 'socat', 'ssh', 'ssh-keygen'])];

/** A test that has autopkgtest install Debian packages on booted machines. */
export const onMachineWithAutopkgtest = whenPresent(
  missingForAutopkgtest.length === 0,
  `autopkgtest on booted machines needs ${missingForAutopkgtest.join(', ')}`,
);

const missingForPacman = missingOf([
  'makepkg',
  'pacman',
  'repo-add',
  'gpg',
  'mmdebstrap',
  'unshare',
  'systemd-sysusers',
]);

/** A test that builds Arch packages and installs them in a root file system. */
export const onRootOfPacman = whenPresent(
  missingForPacman.length === 0,
  `Arch packages need ${missingForPacman.join(', ')}`,
);

const mongod = process.env['PENGUINDOME_TEST_MONGOD'];

/** A test that installs Debian packages on booted machines which run a mongod of their own. */
export const onMachineWithPackagesAndMongod = whenPresent(
  missingForPackages.length === 0 && mongod !== undefined,
  `packages on booted machines with a MongoDB need ${[...missingForPackages, ...(mongod === undefined ? ['a mongod'] : [])].join(', ')}`,
);

const missingForAnsibleAndMongod = [...missingForAnsible, ...(mongod === undefined ? ['a mongod'] : [])];

/** A test that has Ansible set up machines with MongoDB's packages, which are made around a mongod. */
export const onMachineWithAnsibleAndMongod = whenPresent(
  missingForAnsibleAndMongod.length === 0,
  `machines on which Ansible sets up a MongoDB need ${missingForAnsibleAndMongod.join(', ')}`,
);

/** A test that boots machines which run a mongod of their own. */
export const onMachineWithMongod = whenPresent(
  missing.length === 0 && mongod !== undefined,
  `booted machines with a MongoDB need ${[...missing, ...(mongod === undefined ? ['a mongod'] : [])].join(', ')}`,
);

const VIRTUAL = [
  'cryptsetup',
  'qemu-system-x86_64',
  'qemu-img',
  'mke2fs',
  'mmdebstrap',
  'ssh',
  'ssh-keygen',
  'setpriv',
  'flock',
  'tar',
];
const missingForVirtual = missingOf(VIRTUAL);

/** A test that starts a virtual machine. */
export const onVirtualMachine = whenPresent(
  missingForVirtual.length === 0,
  `virtual machines need ${missingForVirtual.join(', ')}`,
);

const APPLIANCE = ['debugfs', 'dpkg-buildpackage', 'dh', 'mcopy', 'mkfs.vfat', 'sfdisk', 'systemctl', 'zstd'];
const missingForAppliance = [...missingForVirtual, ...toolsMissing(APPLIANCE), ...(existsSync(OVMF) ? [] : [OVMF])];

/** A test that builds the appliance's image and starts it. */
export const onAppliance = whenPresent(
  missingForAppliance.length === 0,
  `the appliance's image needs ${missingForAppliance.join(', ')}`,
);

const missingForRoot = missingOf(['apt-get', 'chroot', 'curl', 'dpkg-deb', 'gpg', 'mount', 'tar', 'unshare']);

/** A test on this machine's own system, with what is written to it thrown away. */
export const onScratchRoot = whenPresent(
  missingForRoot.length === 0,
  `a scratch root needs ${missingForRoot.join(', ')}`,
);

const replicaSet = process.env['PENGUINDOME_TEST_MONGO_REPLICA_SET'];
const missingForPods = [...missingForPackages, ...toolsMissing(['nsenter', 'socat'])];

/** A test that starts pods which share a MongoDB. */
export const onPodsWithMongod = whenPresent(
  missingForPods.length === 0 && replicaSet !== undefined,
  `pods with a MongoDB need ${[...missingForPods, ...(replicaSet === undefined ? ['a mongod'] : [])].join(', ')}`,
);
