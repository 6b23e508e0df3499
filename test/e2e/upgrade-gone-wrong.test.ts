import type { ExecutionContext } from 'ava';
import { askOften, HOST, onlySource, SHOWN, type } from './support/installing.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachineWithPackages } from './support/needs.ts';
import { buildVersions, type Versions } from './support/versions.ts';

const SERVER = 'penguindome-server.service';
const SETTINGS = '/etc/penguindome/server.yml';

/** Server and agent of the older version on one machine, which reports by itself. */
async function reportingMachine(t: ExecutionContext, { folder }: Versions): Promise<Machine> {
  const machine = await bootMachine(t, { binds: { [folder]: SHOWN } });
  t.timeout(300_000, 'a machine that hangs');
  await onlySource(machine, folder);
  await askOften(machine, 'collect', 'submit');
  await machine.write('/etc/penguindome/agent.d/10-often.yml', 'collect_interval: 2s\nsubmit_interval: 2s\n');
  await type(
    machine,
    'install -m 644 penguindome.sources /etc/apt/sources.list.d/',
    'apt-get update',
    'apt-get install -y penguindome-server penguindome-agent',
    `penguindome setup --yes --host-name ${HOST}`,
    // a port that only root, or the capability of the unit, may open
    'penguindome ports add 443',
    'systemctl start penguindome-server',
    'penguindome enrollment token --approve --uses 1 --expires 1h >token',
    'install -m 600 token /etc/penguindome/enrollment-token',
  );
  await reports(machine);
  return machine;
}

/** One more report arrives, that was made after this moment. @param settings by which the store is found */
async function reports(machine: Machine, settings = SETTINGS): Promise<void> {
  const now = (await machine.run(['date', '-u', '+%FT%T'])).trim();
  await machine.until('a new report', async () => {
    const host = (await machine.run(['uname', '-n'])).trim();
    const { stdout } = await machine.attempt(['penguindome', '--config', settings, '--json', 'hosts', 'show', host]);
    const at = /"submitted_at": "([^"]+)"/.exec(stdout)?.[1];
    return at !== undefined && at > now ? at : undefined;
  });
}

const processOf = (machine: Machine) =>
  machine.run(['systemctl', 'show', '--value', '--property=MainPID,ActiveState', SERVER]);

async function versionOf(machine: Machine, name: string): Promise<string> {
  const said = await machine.run(['dpkg', '--status', name]);
  const [, status, version] = /^Status: (.*)$[\s\S]*^Version: (.*)$/m.exec(said) ?? [];
  return `${version} ${status?.split(' ').at(-1)}`;
}

/** What does not end well, and what it says. */
async function fails(t: ExecutionContext, machine: Machine, line: string): Promise<string> {
  const { status, stdout, stderr } = await machine.attempt(['bash', '-c', line]);
  t.not(status, 0, line);
  return stdout + stderr;
}

onMachineWithPackages(
  'an upgrade that goes wrong says what is wrong and what to do, and the version before goes on',
  async (t) => {
    const versions = await buildVersions(t);
    const machine = await reportingMachine(t, versions);
    await versions.release();
    await type(machine, 'apt-get update');
    await wrongArchitecture(t, machine, versions);
    await fullDisk(t, machine, versions);
    await brokenSettings(t, machine, versions);
    await brokenAgentSettings(t, machine);
    await brokenUnits(t, machine);
    await missingNode(t, machine);
  },
);

async function wrongArchitecture(t: ExecutionContext, machine: Machine, { older, newer }: Versions): Promise<void> {
  const before = await processOf(machine);
  await type(
    machine,
    `dpkg-deb --raw-extract ${SHOWN}/deb/pool/penguindome-server_${newer}_amd64.deb foreign`,
    'sed -i "s/^Architecture: .*/Architecture: arm64/" foreign/DEBIAN/control',
    'dpkg-deb --root-owner-group -Zgzip -z1 --build foreign foreign.deb',
  );
  t.regex(
    await fails(t, machine, 'dpkg -i foreign.deb'),
    /package architecture \(arm64\) does not match system \(amd64\)/,
  );
  t.regex(await fails(t, machine, 'apt-get install -y ./foreign.deb'), /penguindome-server:arm64/);
  t.is(await versionOf(machine, 'penguindome-server'), `${older} installed`);
  t.is(await processOf(machine), before);
  await reports(machine);
}

async function fullDisk(t: ExecutionContext, machine: Machine, { older, newer }: Versions): Promise<void> {
  const programs = '/usr/lib/penguindome/server';
  const before = await processOf(machine);
  await type(
    machine,
    `cp -a ${programs} programs`,
    `mount -t tmpfs -o mode=755,size=$(du -sm programs | cut -f 1)M tmpfs ${programs}`,
    `cp -a programs/. ${programs}/`,
  );
  const said = await fails(t, machine, 'apt-get install -y penguindome-server');
  t.regex(said, /cannot copy extracted data for '\S+' to '\S+': .*\(No space left on device\)/);
  t.is(await versionOf(machine, 'penguindome-server'), `${older} installed`);
  t.is(await processOf(machine), before);
  await reports(machine);
  await type(machine, `systemctl restart ${SERVER}`);
  await reports(machine);
  await type(machine, `systemctl stop ${SERVER}`, `umount ${programs}`, `systemctl start ${SERVER}`);
  // With room again, the same command does it.
  const running = await processOf(machine);
  await type(machine, 'apt-get install -y penguindome-server penguindome-agent');
  for (const name of ['penguindome-server', 'penguindome-agent'])
    t.is(await versionOf(machine, name), `${newer} installed`);
  t.not(await processOf(machine), running, 'the new one runs');
  await reports(machine);
}

async function brokenSettings(t: ExecutionContext, machine: Machine, { older, newer }: Versions): Promise<void> {
  await type(machine, `apt-get install -y --allow-downgrades penguindome-server=${older}`);
  const before = await processOf(machine);
  const good = '/etc/penguindome/good.yml';
  await type(machine, `cp -p ${SETTINGS} ${good}`, `sed -i 's/^local_port: .*/local_port: many/' ${SETTINGS}`);
  const line = (await machine.run(['sh', '-c', `grep -n '^local_port: many' ${SETTINGS} | cut -d : -f 1`])).trim();
  const said = await type(machine, 'apt-get install -y penguindome-server');
  t.regex(
    said,
    new RegExp(`server that runs is still the one before, version ${older}, for the new one would not start`),
  );
  t.regex(said, new RegExp(`^ +${SETTINGS}:${line}: local_port: expected .*many`, 'm'));
  t.regex(said, /put that right, then: systemctl restart penguindome-server\.service/);
  t.is(await versionOf(machine, 'penguindome-server'), `${newer} installed`);
  t.is(await processOf(machine), before, 'not stopped for nothing');
  await reports(machine, good);
  await type(machine, `mv ${good} ${SETTINGS}`, 'systemctl restart penguindome-server.service');
  t.not(await processOf(machine), before);
  await reports(machine);
}

async function brokenAgentSettings(t: ExecutionContext, machine: Machine): Promise<void> {
  const file = '/etc/penguindome/agent.d/20-mine.yml';
  await machine.write(file, '# mine\ncollect_interval: often\n');
  const said = await type(machine, 'apt-get install -y --reinstall penguindome-agent');
  t.regex(said, new RegExp(`${file}:2: collect_interval: expected`));
  t.regex(said, /this host looks at nothing and reports nothing until that is put right/);
  t.regex(await fails(t, machine, 'penguindome-agent status'), new RegExp(`${file}:2: collect_interval: expected`));
  await type(machine, `rm ${file}`);
  await reports(machine);
}

const dropIn = (unit: string) => `/etc/systemd/system/${unit}.d/mine.conf`;

async function brokenUnits(t: ExecutionContext, machine: Machine): Promise<void> {
  const again = 'apt-get install -y --reinstall penguindome-server penguindome-agent';
  const before = await processOf(machine);
  const collect = 'penguindome-collect.service';
  // As the package manager and the status say.
  const mended = [
    `systemctl revert ${SERVER} ${collect}`,
    'systemctl daemon-reload',
    `systemctl restart ${SERVER} penguindome-agent.target`,
  ];
  for (const unit of [SERVER, collect]) await machine.write(dropIn(unit), '[Service]\nExecStart=\n');
  await type(machine, 'systemctl daemon-reload');
  const said = await type(machine, again);
  t.regex(
    said,
    /penguindome-server: the server that runs is still the one before.*: its unit cannot be used as it is now/,
  );
  t.regex(said, /Drop-In: \/etc\/systemd\/system\/penguindome-server\.service\.d\n.*mine\.conf/);
  t.regex(said, /systemctl revert penguindome-server\.service\), then: systemctl daemon-reload; systemctl restart/);
  t.regex(said, new RegExp(`penguindome-agent: systemd cannot use ${collect} as it is now, with ${dropIn(collect)}`));
  t.is(await processOf(machine), before);
  const status = await fails(t, machine, 'penguindome-agent status');
  t.regex(status, new RegExp(`WRONG: systemd cannot use ${collect}.*${dropIn(collect)}\n {2}do: .*systemctl revert`));
  await type(machine, ...mended);
  await reports(machine);

  for (const unit of [SERVER, collect]) await machine.write(dropIn(unit), '[Service]\nUser=nosuchuser\n');
  await type(machine, 'systemctl daemon-reload');
  const started = await type(machine, again);
  t.regex(started, /penguindome-server: it does not start; this is what systemd says:/);
  t.regex(started, /mine\.conf\n[\s\S]*status=217\/USER/);
  const cannot = new RegExp(`WRONG: systemd cannot start ${collect} \\(exit status 217\\).*${dropIn(collect)}`);
  await machine.until('the agent tells that systemd cannot start the collector', async () =>
    cannot.test((await machine.attempt(['penguindome-agent', 'status'])).stdout) ? true : undefined,
  );
  await type(machine, ...mended);
  await reports(machine);
  t.notRegex((await machine.attempt(['penguindome-agent', 'status'])).stdout, /WRONG: systemd/);
}

/** dpkg does not let it go; where it went all the same, the programs say what to install. */
async function missingNode(t: ExecutionContext, machine: Machine): Promise<void> {
  t.regex(
    await fails(t, machine, 'dpkg --remove nodejs'),
    /penguindome-(agent|server) depends on nodejs \(>= \d+\.\d+\) \| penguindome-runtime/,
  );
  await reports(machine);
  await type(machine, 'mv /usr/bin/node node');
  for (const program of ['penguindome', 'penguindome-agent']) {
    const said = await fails(t, machine, `${program} --version`);
    t.is(said, `${program}: cannot run: there is no Node; install the package nodejs, or penguindome-runtime\n`);
  }
  await type(machine, 'mv node /usr/bin/node');
  await reports(machine);
}
