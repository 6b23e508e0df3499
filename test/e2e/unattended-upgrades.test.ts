import { askOften, onlySource, SHOWN, type } from './support/installing.ts';
import { bootMachine } from './support/machine.ts';
import { onMachineWithPackages } from './support/needs.ts';
import { buildVersions } from './support/versions.ts';

onMachineWithPackages(
  'unattended-upgrades takes a new agent from the signed repository with the file that lies in it, and not without',
  async (t) => {
    const versions = await buildVersions(t);
    const machine = await bootMachine(t, { binds: { [versions.folder]: SHOWN } });
    t.timeout(240_000, 'a machine that hangs');
    await onlySource(machine, versions.folder);
    await askOften(machine, 'collect');
    const version = async () =>
      (await machine.run(['dpkg-query', '--show', 'penguindome-agent'])).trim().replace('penguindome-agent\t', '');
    await type(
      machine,
      'install -m 644 penguindome.sources /etc/apt/sources.list.d/',
      'apt-get update',
      'apt-get install -y penguindome-agent',
    );
    t.is(await version(), versions.older);
    await versions.release();
    const without = await type(machine, 'apt-get update', 'unattended-upgrade --dry-run --debug');
    t.regex(without, /No packages found that can be upgraded unattended/);

    await type(machine, `install -m 644 ${SHOWN}/deb/52penguindome /etc/apt/apt.conf.d/`);
    const dry = await type(machine, 'unattended-upgrade --dry-run --debug');
    t.regex(dry, /Packages that will be upgraded: penguindome-agent$/m);
    t.is(await version(), versions.older);
    await type(machine, 'unattended-upgrade --debug');
    t.is(await version(), versions.newer);
    t.is((await machine.run(['systemctl', 'is-active', 'penguindome-collect.timer'])).trim(), 'active');
  },
);
