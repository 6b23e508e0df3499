import type { ExecutionContext } from 'ava';
import { allArrive, arrivedNumbers, COUNT } from './support/arrivals.ts';
import { askOften, onlySource, SHOWN, type } from './support/installing.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachineWithPackages } from './support/needs.ts';
import { commandsOf } from './support/packages.ts';
import { buildVersions, type Versions } from './support/versions.ts';

const PAGE = 'docs/install.md';

/** A machine with Debian 12, whose only source is the repository. What an administrator may set quicker is. */
async function machineBeforeInstalling(t: ExecutionContext, { folder }: Versions): Promise<Machine> {
  const machine = await bootMachine(t, { suite: 'bookworm', binds: { [folder]: SHOWN }, filters: true });
  t.timeout(300_000, 'a machine that hangs');
  await onlySource(machine, folder);
  await askOften(machine, 'collect', 'submit');
  // As where the server, and so the runtime, is on another machine: the agent runs on Debian's own Node.
  for (const name of ['collect', 'submit', 'enroll'])
    await machine.write(
      `/etc/systemd/system/penguindome-${name}.service.d/own-node.conf`,
      `[Service]\n${NO_RUNTIME}\n`,
    );
  await machine.write('/root/laptops.yml', 'collect_interval: 2s\nsubmit_interval: 2s\nplugins:\n  local: true\n');
  await machine.write('/etc/penguindome/plugins/count.sh', COUNT, '755');
  return machine;
}

const NO_RUNTIME = 'InaccessiblePaths=/usr/lib/penguindome/runtime';

const reaches = (machine: Machine, host: string, least: number) =>
  machine.until(`the server has report ${least}`, async () =>
    ((await arrivedNumbers(machine, host)).at(-1) ?? 0) >= least ? true : undefined,
  );

/** All that the collector put into the spool is there, each once, in order. */
async function nothingLost(t: ExecutionContext, machine: Machine, host: string): Promise<void> {
  const { arrived } = await allArrive(machine, machine, host);
  t.deepEqual(
    arrived,
    [...new Set(arrived)].sort((a, b) => a - b),
    'each once, in order',
  );
}

async function version(machine: Machine, name: string): Promise<string | undefined> {
  return (await machine.run(['dpkg-query', '--show', name])).trim().split('\t')[1];
}

onMachineWithPackages(
  'on Debian 12 two packages enrol a machine without a question; an upgrade, a downgrade and a new installation lose nothing',
  async (t) => {
    const versions = await buildVersions(t);
    const machine = await machineBeforeInstalling(t, versions);
    const host = (await machine.run(['uname', '-n'])).trim();
    await type(machine, ...(await commandsOf(PAGE, 'The server on Debian 12')));
    t.is(await version(machine, 'penguindome-runtime'), versions.newer, 'the server has a Node that it can use');

    const tar = await type(machine, ...(await commandsOf(PAGE, 'The bootstrap tar')));
    t.regex(tar, /penguindome-agent-\S+-x86_64\.tar\.gz: the agent .* and its Node/, 'of what packages have installed');

    const [make = '', ...install] = await commandsOf(PAGE, 'A machine without a question: the site package');
    t.regex(make, /'lap-\*'/);
    const made = await type(machine, `${make.replace("'lap-*'", "'pd-*'")} --settings laptops.yml`);
    t.is(made.match(/^warning: /gm)?.length, 1, made);
    const started = Date.now();
    await type(machine, ...install);
    await reaches(machine, host, 1);
    t.log(`first report after ${Math.round((Date.now() - started) / 1000)} s`);
    t.is(await version(machine, 'penguindome-agent'), versions.older);
    t.not((await machine.attempt(['test', '-e', '/etc/penguindome/enrollment-token'])).status, 0, 'the token is gone');
    const node = `systemd-run -q --wait --pipe -p ${NO_RUNTIME} /usr/lib/penguindome/bin/node --version`;
    t.regex(await type(machine, node), /^v18\./, 'what the units run on');
    t.is((await type(machine, 'systemctl --failed --plain --no-legend')).trim(), '');

    await upgrades(t, machine, { host, versions });
    await goesBack(t, machine, { host, versions });
    await comesBack(t, machine, host);
  },
);

interface On {
  host: string;
  versions: Versions;
}

/** Server and agent at once, while reports flow. */
async function upgrades(t: ExecutionContext, machine: Machine, { host, versions }: On): Promise<void> {
  const identity = await machine.run([
    'sha256sum',
    '/etc/penguindome/identity.key',
    '/etc/penguindome/trust.d/server.json',
  ]);
  const own = '# mine\ncollect_interval: 1s\nsubmit_interval: 2s\nplugins:\n  local: true\n';
  await machine.write('/etc/penguindome/agent.d/50-site.yml', own);
  await machine.write('/etc/penguindome/agent.d/90-mine.yml', 'spool:\n  max_size: 32M\n');
  await machine.run(['penguindome', 'settings', 'set', 'log.level', 'debug']);
  const settings = await machine.run(['cat', '/etc/penguindome/server.yml']);
  const before = (await arrivedNumbers(machine, host)).at(-1) ?? 0;
  await versions.release();
  const keep = '-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold';
  await type(
    machine,
    'apt-get update',
    `penguindome site-package --format deb --output newer.deb --pattern 'pd-*'`,
    `apt-get upgrade -y ${keep}`,
    `apt-get install -y ${keep} ./newer.deb`,
  );
  for (const name of ['penguindome-agent', 'penguindome-server'])
    t.is(await version(machine, name), versions.newer, name);
  t.is(
    (await machine.run(['systemctl', 'is-active', 'penguindome-server', 'penguindome-collect.timer'])).trim(),
    'active\nactive',
  );
  await reaches(machine, host, before + 4);
  await nothingLost(t, machine, host);
  t.is(await machine.run(['cat', '/etc/penguindome/agent.d/50-site.yml']), own, 'what the administrator changed');
  t.is(await machine.run(['cat', '/etc/penguindome/server.yml']), settings);
  t.is(
    await machine.run(['sha256sum', '/etc/penguindome/identity.key', '/etc/penguindome/trust.d/server.json']),
    identity,
    'a new token does not enrol it again',
  );
  for (const name of ['agent', 'server'])
    t.not((await machine.attempt(['test', '-e', `/usr/share/doc/penguindome-${name}/only-in-the-older`])).status, 0);
  t.is((await type(machine, 'systemctl --failed --plain --no-legend')).trim(), '');
}

/** apt refuses it; who insists loses nothing. */
async function goesBack(t: ExecutionContext, machine: Machine, { host, versions }: On): Promise<void> {
  const back = `apt-get install -y penguindome-agent=${versions.older} penguindome-server=${versions.older}`;
  const { status, stdout, stderr } = await machine.attempt(['bash', '-c', back]);
  t.not(status, 0);
  t.regex(stdout + stderr, /--allow-downgrades/);
  t.is(await version(machine, 'penguindome-agent'), versions.newer);
  const before = (await arrivedNumbers(machine, host)).at(-1) ?? 0;
  await type(machine, `${back} --allow-downgrades`);
  t.is(await version(machine, 'penguindome-agent'), versions.older);
  await reaches(machine, host, before + 2);
  await type(machine, 'apt-get upgrade -y');
  await reaches(machine, host, before + 4);
  await nothingLost(t, machine, host);
}

/** Removed and installed again it is the host that it was; purged it is none, and what stays is told. */
async function comesBack(t: ExecutionContext, machine: Machine, host: string): Promise<void> {
  const identity = () => machine.run(['sha256sum', '/etc/penguindome/identity.key']);
  const first = await identity();
  await type(machine, 'apt-get remove -y penguindome-agent');
  t.not((await machine.attempt(['test', '-e', '/usr/bin/penguindome-agent'])).status, 0);
  const before = (await arrivedNumbers(machine, host)).at(-1) ?? 0;
  await type(machine, 'apt-get install -y penguindome-agent');
  await reaches(machine, host, before + 1);
  t.is(await identity(), first);
  await nothingLost(t, machine, host);

  const said = await type(machine, 'apt-get purge -y penguindome-agent penguindome-site');
  t.regex(said, /\/etc\/penguindome\/agent\.d stays: it holds what somebody put there/);
  t.regex(said, /\/etc\/penguindome\/plugins stays/);
  const left = await type(
    machine,
    'find /etc/penguindome/agent.d /etc/penguindome/plugins /var/lib/penguindome -type f || true',
  );
  t.deepEqual(
    left
      .split('\n')
      .filter((line) => line.startsWith('/etc'))
      .sort(),
    ['/etc/penguindome/agent.d/90-mine.yml', '/etc/penguindome/plugins/count.sh'],
  );
  t.notRegex(left, /^\/var\/lib\/penguindome\//m);
  for (const name of ['identity.key', 'agent.yml', 'enrollment-token', 'trust.d/server.json'])
    t.not((await machine.attempt(['test', '-e', `/etc/penguindome/${name}`])).status, 0, name);
  t.is((await machine.run(['systemctl', 'is-active', 'penguindome-server'])).trim(), 'active', 'the server goes on');
}
