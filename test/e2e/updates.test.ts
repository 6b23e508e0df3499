import { createHash } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { gpgHome } from '../support/gpg.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { program } from './support/site.ts';

/** What one collector says, run as root. */
const collected = async (machine: Machine, name: string) =>
  Object(JSON.parse(await machine.run([program('penguindome-agent'), 'collectors', 'run', name])));

const REPOSITORY = '/srv/repository';
/** A package x of this version, without anything in it, and its stanza for a list of packages. */
const BUILD = `
  set -eu
  cd ${REPOSITORY}
  mkdir -p x/DEBIAN
  printf 'Package: x\\nVersion: %s\\nArchitecture: all\\nMaintainer: t <t@example.org>\\nDescription: x\\n' "$1" >x/DEBIAN/control
  dpkg-deb -b x "x_$1.deb" >/dev/null
  dpkg-deb -f "x_$1.deb"
  echo "Filename: ./x_$1.deb"
  echo "Size: $(stat -c %s "x_$1.deb")"
  echo "SHA256: $(sha256sum <"x_$1.deb" | cut -d ' ' -f 1)"
`;

/** Gives the machine x 1, and as its only source a signed repository, its security archive, that has x 2. */
async function addSecurityUpdate(t: ExecutionContext, machine: Machine, codename: string): Promise<void> {
  const key = await gpgHome(t);
  await key(['--quick-gen-key', 'test@example.com', 'rsa2048', 'sign']);
  await machine.write('/etc/apt/keyrings/test.asc', await key(['--armor', '--export']));
  await machine.run(['mkdir', '-p', REPOSITORY]);
  await machine.run(['sh', '-c', BUILD, 'sh', '1']);
  await machine.run(['dpkg', '-i', `${REPOSITORY}/x_1.deb`]);
  const packages = `${await machine.run(['sh', '-c', BUILD, 'sh', '2'])}\n`;
  const digest = createHash('sha256').update(packages).digest('hex');
  const suite = `${codename}-security`;
  const fields = {
    Origin: 'Debian',
    Label: 'Debian-Security',
    Suite: 'stable-security',
    Codename: suite,
    Architectures: 'amd64 arm64 all',
    Components: 'main',
    Date: new Date().toUTCString().replace('GMT', 'UTC'),
    SHA256: `\n ${digest} ${packages.length} main/binary-amd64/Packages\n ${digest} ${packages.length} main/binary-arm64/Packages`,
  };
  const release = Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
  const home = `${REPOSITORY}/dists/${suite}`;
  for (const architecture of ['amd64', 'arm64']) {
    await machine.write(`${home}/main/binary-${architecture}/Packages`, packages);
  }
  await machine.write(`${home}/InRelease`, await key(['--clearsign', '--digest-algo', 'SHA256'], release));
  await machine.run(['sh', '-c', 'rm -f /etc/apt/sources.list.d/*']);
  await machine.write(
    '/etc/apt/sources.list',
    `deb [signed-by=/etc/apt/keyrings/test.asc] copy:${REPOSITORY} ${suite} main\n`,
  );
}

for (const [suite, until] of [
  ['bookworm', '2028-06-30'],
  ['trixie', '2030-06-30'],
] as const) {
  onMachine(`${suite}: a security update waits, held or not, until unattended-upgrades installs it`, async (t) => {
    const machine = await bootMachine(t, { suite });
    await addSecurityUpdate(t, machine, suite);
    t.like(await collected(machine, 'updates'), { metadata_age: 'never', held_packages: [] });
    await machine.run(['apt-get', 'update']);
    t.like(await collected(machine, 'os_updates'), { current: true, patches: true, security_patches: true });
    const { repositories, inventory } = await collected(machine, 'packages');
    t.deepEqual(repositories, [
      { name: `copy:/…/repository ${suite}-security`, file: '/etc/apt/sources.list', foreign: false, problems: [] },
    ]);
    t.is(inventory.deb.x, '1');

    await machine.run(['apt-mark', 'hold', 'x']);
    t.like(await collected(machine, 'updates'), { metadata_age: 'under-2-days', held_packages: ['x'] });
    await machine.run(['unattended-upgrade']);
    t.like(await collected(machine, 'os_updates'), { patches: true, security_patches: true }, 'held is not mended');

    await machine.run(['apt-mark', 'unhold', 'x']);
    await machine.run(['unattended-upgrade']);
    t.like(await collected(machine, 'os_updates'), { patches: false, security_patches: false });
    t.deepEqual((await collected(machine, 'updates')).held_packages, []);
  });

  onMachine(
    `${suite}: updates are automatic as Debian sets them up, and not where one step of the way is broken`,
    async (t) => {
      const machine = await bootMachine(t, { suite });
      const told = async () => (await collected(machine, 'updates')).automatic_updates;
      const on = { by: 'unattended-upgrades', enabled: true, problems: [] };
      t.deepEqual(await told(), on);
      const { release_support } = await collected(machine, 'updates');
      t.like(release_support, { supported: true, until });

      for (const [breaks, mends, problem] of [
        [
          ['disable', 'apt-daily-upgrade.timer'],
          ['enable', 'apt-daily-upgrade.timer'],
          'apt-daily-upgrade.timer is disabled',
        ],
        [['mask', 'apt-daily.timer'], ['unmask', 'apt-daily.timer'], 'apt-daily.timer is masked'],
        [
          ['mask', '--runtime', 'apt-daily.service'],
          ['unmask', '--runtime', 'apt-daily.service'],
          'apt-daily.service is masked',
        ],
      ] as const) {
        await machine.run(['systemctl', ...breaks]);
        t.deepEqual(await told(), { ...on, enabled: false, problems: [problem] });
        await machine.run(['systemctl', ...mends]);
      }
      await machine.write('/etc/apt/apt.conf.d/99local', 'APT::Periodic::Unattended-Upgrade "0";\n');
      t.deepEqual(await told(), { ...on, enabled: false, problems: ['APT::Periodic::Unattended-Upgrade is off'] });
      await machine.write('/etc/apt/apt.conf.d/99local', '#clear Unattended-Upgrade::Origins-Pattern;\n');
      t.deepEqual(await told(), { ...on, enabled: false, problems: ['its origins hold no security archive'] });
      await machine.run(['rm', '/etc/apt/apt.conf.d/99local']);
      t.deepEqual(await told(), on);
    },
  );
}
