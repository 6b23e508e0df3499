import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import * as z from 'zod';
import { scratchFolder } from '../support/scratch.ts';
import { changesOf, type Inventory, mustPlay, play } from './support/ansible.ts';
import { arrivedNumbers, COUNT } from './support/arrivals.ts';
import { bridgeNetwork, type Network } from './support/bridge-network.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { mongodbPackages } from './support/mongodb-packages.ts';
import { onMachineWithAnsibleAndMongod } from './support/needs.ts';
import { buildPackages } from './support/packages.ts';
import { program } from './support/site.ts';
import { stopwatch } from './support/stopwatch.ts';

const SHOWN = '/srv/packages';
const MONGODB = '/srv/mongodb';
const DOME = 'dome.example.org';
const PASSWORD = '/root/password';

/** Knows where packages are, and what the server is called. */
async function bootMember(t: ExecutionContext): Promise<Machine> {
  const { folder } = await buildPackages(t, 'deb');
  const { folder: mongodb } = await mongodbPackages(t);
  const machine = await bootMachine(t, { binds: { [folder]: SHOWN, [mongodb]: MONGODB } });
  t.timeout(600_000, 'machines that hang');
  await machine.run(['sh', '-c', 'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*']);
  return machine;
}

/** MongoDB's packages come from the test's repository; all else is as in a site's own inventory. */
async function variables(t: ExecutionContext): Promise<Record<string, unknown>> {
  const { folder } = await buildPackages(t, 'deb');
  const { suite, key } = await mongodbPackages(t);
  return {
    penguindome_repository: { url: `file:${SHOWN}`, key: await readFile(join(folder, 'penguindome.asc'), 'utf8') },
    penguindome_mongodb_repository: `file:${MONGODB}`,
    penguindome_mongodb_repository_components: 'main',
    penguindome_mongodb_repository_key: key,
    penguindome_mongodb_repository_suite: suite,
    penguindome_server_host_names: [DOME],
  };
}

async function shown(machine: Machine, ...args: string[]): Promise<unknown> {
  return JSON.parse(await machine.run(['penguindome', '--json', ...args]));
}

/** Asks for the store in other words than the server's settings. */
async function refusal(machine: Machine, url: string): Promise<string> {
  const target = 'embedded:/root/copy.db';
  const { status, stderr } = await machine.attempt(['penguindome', 'store', 'copy', '--from', url, '--to', target]);
  return status === 0 ? 'let in' : stderr;
}

const SECRETS = '/etc/penguindome-mongodb/secrets';

/** By `stat`: owner, group, mode. */
const MODES = `mongodb:mongodb 400 /etc/penguindome-mongodb/keyfile
mongodb:mongodb 400 /etc/penguindome-mongodb/mongod.pem
root:root 700 ${SECRETS}
root:root 600 ${SECRETS}/admin-password
root:root 600 ${SECRETS}/ca.key
root:root 600 ${SECRETS}/keyfile
root:root 600 ${SECRETS}/server-password
penguindome-server:penguindome-server 600 /etc/penguindome/keys/mongo-password`;

onMachineWithAnsibleAndMongod(
  'one playbook sets up MongoDB, the server on it by TLS and an agent; what is lost whole comes back from a backup',
  async (t) => {
    const dome = await bootMember(t);
    const lap = stopwatch(t);
    await dome.run(['sh', '-c', `echo 127.0.0.1 ${DOME} >>/etc/hosts; hostname dome`]);
    const groups = ['penguindome_mongodb', 'penguindome_server', 'penguindome_agents'];
    const inventory: Inventory = { hosts: { dome: { machine: dome, groups } }, groupVars: { all: await variables(t) } };

    const foretold = await mustPlay(inventory, { check: true, diff: true });
    t.regex(foretold.said, /MongoDB is not set up here yet/);
    t.not((await dome.attempt(['test', '-e', '/etc/mongod.conf'])).status, 0, 'a check changes nothing');
    lap('a check of an empty machine');
    const first = await mustPlay(inventory, { diff: true });
    lap('a run for all of it on one machine');
    const secrets = await dome.run(['sh', '-c', `cat ${SECRETS}/keyfile; echo; cat ${SECRETS}/*-password`]);
    for (const secret of secrets.split(/\s+/).filter(Boolean))
      t.false(first.said.includes(secret), 'no secret is told');
    const paths = MODES.split('\n').map((line) => line.split(' ')[2] ?? '');
    t.is((await dome.run(['stat', '-c', '%U:%G %a %n', ...paths])).trim(), MODES);
    const settings = await dome.run(['cat', '/etc/penguindome/server.yml']);
    t.regex(settings, /kind: mongo[\s\S]*tls: true/);
    await renewsCertificate(t, dome);
    t.is(changesOf(await mustPlay(inventory)), 0);
    lap('a second run');
    await changesPassword(t, dome, inventory);
    lap("another administrator's password");
    await isTheSameByUrl(t, dome, inventory);
    lap('a check for the same database by its URL');

    await dome.run(['systemctl', 'stop', 'penguindome-agent.target']);
    const host = await shown(dome, 'hosts', 'show', 'dome');
    const history = await shown(dome, 'hosts', 'history', 'dome');
    const backups = await scratchFolder(t);
    const folder = ['-e', `penguindome_backup_folder=${backups}`];
    await mustPlay(inventory, { playbook: 'playbooks/backup.yml', args: folder });
    const [file = ''] = (await readdir(backups)).filter((name) => name.endsWith('.gz'));
    lap('a backup');

    await dome.run(['systemctl', 'stop', 'penguindome-server']);
    await dome.write(PASSWORD, 'not-the-password', '600');
    const place = 'mongodb://penguindome@localhost:27017/penguindome?replicaSet=rs0';
    const byTls = `${place}&tls=true&ca=/etc/penguindome/mongodb-ca.crt`;
    t.regex(await refusal(dome, `${byTls}&passwordFile=${PASSWORD}`), /Authentication failed/);
    t.regex(await refusal(dome, `${place}&passwordFile=${SECRETS}/server-password`), /cannot use the database/);
    t.is(await refusal(dome, `${byTls}&passwordFile=${SECRETS}/server-password`), 'let in');

    // As if the machine of the database were another one now: no data, no secrets, no CA.
    await dome.run(['systemctl', 'stop', 'mongod']);
    await dome.run(['sh', '-c', 'rm -r /var/lib/mongodb/* /etc/penguindome-mongodb']);
    const lost = { hosts: { dome: { machine: dome, groups: groups.slice(0, 2) } }, groupVars: inventory.groupVars };
    await mustPlay(lost, { args: ['--skip-tags', 'install'] });
    t.deepEqual(await shown(dome, 'hosts', 'list'), []);
    lap('a run for another database');
    const restore = {
      playbook: 'playbooks/restore.yml',
      args: ['-e', `penguindome_restore_file=${join(backups, file)}`],
    };
    t.regex((await play(lost, restore)).said, /Nothing was changed/);
    await mustPlay(lost, { ...restore, args: [...restore.args, '-e', 'penguindome_restore_confirmed=replace'] });
    t.deepEqual(await shown(dome, 'hosts', 'show', 'dome'), host);
    t.deepEqual(await shown(dome, 'hosts', 'history', 'dome'), history);
    lap('a restore');
  },
);

/** It came at random, and is set by the operator from now on: the set is made to know it, and told nowhere. */
async function changesPassword(t: ExecutionContext, dome: Machine, inventory: Inventory): Promise<void> {
  const password = 'from-the-vault-of-the-site';
  const all = { ...inventory.groupVars['all'], penguindome_mongodb_admin_password: password };
  const options = { playbook: 'playbooks/mongodb.yml', args: ['--tags', 'configure,run,verify', '-vvv'] };
  const changed = await mustPlay({ ...inventory, groupVars: { all } }, options);
  t.false(changed.said.includes(password));
  t.is(await dome.run(['cat', `${SECRETS}/admin-password`]), password);
  t.is(changesOf(await mustPlay({ ...inventory, groupVars: { all } }, options)), 0);
}

/** A MongoDB that is there: the settings and the password that this one has already. */
async function isTheSameByUrl(t: ExecutionContext, dome: Machine, { groupVars }: Inventory): Promise<void> {
  const ca = join(await scratchFolder(t), 'ca.crt');
  await writeFile(ca, await dome.run(['cat', '/etc/penguindome/mongodb-ca.crt']));
  const vars = {
    penguindome_mongodb_password: (await dome.run(['cat', `${SECRETS}/server-password`])).trim(),
    penguindome_mongodb_url: 'mongodb://penguindome@localhost:27017/penguindome?replicaSet=rs0&tls=true',
    penguindome_mongodb_url_ca: ca,
  };
  const there = { hosts: { dome: { machine: dome, groups: ['penguindome_server'], vars } }, groupVars };
  const checked = await mustPlay(there, { playbook: 'playbooks/server.yml', check: true, diff: true });
  t.is(changesOf(checked), 0, checked.said);
}

/** One report after the other until it is enough; those that cannot be handed over wait, and go with the next that can. */
const REPORTS = `
  rm -f /srv/enough
  until [ -e /srv/enough ]; do
    penguindome-agent collect
    echo >>/srv/collected
    if penguindome-agent submit; then echo >>/srv/acknowledged; fi
    sleep 0.5
  done
`;

onMachineWithAnsibleAndMongod(
  'of a replica set of three the machine of the primary is lost in the middle of reports, and no report; a new machine takes its place',
  async (t) => {
    const network = await bridgeNetwork(t);
    const [db1, db2, db3] = await Promise.all([bootMember(t), bootMember(t), bootMember(t)]);
    const lap = stopwatch(t);
    const first = await setOf(t, network, { db1, db2, db3 });
    await mustPlay(first);
    t.deepEqual(await statesSeenBy(db2), {
      'db1:27017': 'PRIMARY',
      'db2:27017': 'SECONDARY',
      'db3:27017': 'SECONDARY',
    });
    lap('a run for a set of three and a server');

    await startReporting(db2, db3);
    const reports = db3.run(['bash', '-c', REPORTS]);
    await reportsOf(db3, ({ acknowledged }) => acknowledged >= 5);
    process.kill(db1.leader, 'SIGKILL');
    const states = await db2.until('another primary', async () => {
      const seen = await statesSeenBy(db2).catch(() => undefined);
      return [seen?.['db2:27017'], seen?.['db3:27017']].includes('PRIMARY') ? seen : undefined;
    });
    t.not(states['db1:27017'], 'PRIMARY');
    const { acknowledged: meanwhile } = await reportsOf(db3, () => true);
    await reportsOf(db3, ({ acknowledged }) => acknowledged >= meanwhile + 3);
    lap('a primary that is lost, and another one');

    const another = await bootMember(t);
    const second = await setOf(t, network, { db1: another, db2, db3 });
    const made = await mustPlay(second, { playbook: 'playbooks/mongodb.yml' });
    t.is(made.recap['db2']?.changed, 0, made.said);
    t.is(made.recap['db3']?.changed, 0, made.said);
    t.deepEqual(Object.values(await statesSeenBy(another)).sort(), ['PRIMARY', 'SECONDARY', 'SECONDARY']);
    await db3.run(['touch', '/srv/enough']);
    await reports;
    const { collected } = await reportsOf(db3, () => true);
    const all = Array.from({ length: collected }, (_, index) => index + 1);
    t.deepEqual(await arrivedNumbers(db2, 'db3'), all, 'each report once, in order');
    lap('a new machine in its place');
  },
);

/** Makes them know one another by name, and db2 as the server. */
async function setOf(t: ExecutionContext, network: Network, machines: Record<string, Machine>): Promise<Inventory> {
  const members = await Promise.all(
    Object.entries(machines).map(async ([name, machine]) => ({ name, machine, address: await network.join(machine) })),
  );
  const lines = members.map(({ name, address }) => `${address} ${name}${name === 'db2' ? ` ${DOME}` : ''}`);
  for (const { name, machine } of members) {
    await machine.write('/etc/hosts', ['127.0.0.1 localhost', ...lines, ''].join('\n'));
    await machine.run(['hostname', name]);
  }
  const hosts = members.map(({ name, machine, address }) => {
    const groups = ['penguindome_mongodb', ...(name === 'db2' ? ['penguindome_server'] : [])];
    return [name, { machine, groups, vars: { penguindome_mongodb_bind: [address] } }] as const;
  });
  return { hosts: Object.fromEntries(hosts), groupVars: { all: await variables(t) } };
}

const status = z.object({ members: z.record(z.string(), z.string()) });

async function statesSeenBy(machine: Machine): Promise<Record<string, string>> {
  return status.parse(JSON.parse(await machine.run(['penguindome-mongodb', 'status']))).members;
}

interface Reports {
  collected: number;
  /** rounds that ended with nothing waiting */
  acknowledged: number;
}

/** Waits until there are as many. */
async function reportsOf(machine: Machine, enough: (reports: Reports) => boolean): Promise<Reports> {
  return machine.until('enough reports', async () => {
    const count = async (name: string) => {
      const { stdout } = await machine.attempt(['cat', `/srv/${name}`]);
      return stdout.split('\n').length - 1;
    };
    const reports = { collected: await count('collected'), acknowledged: await count('acknowledged') };
    return enough(reports) ? reports : undefined;
  });
}

/** The agent as it is, with one plugin that numbers its reports. */
async function startReporting(server: Machine, machine: Machine): Promise<void> {
  await machine.run(['ln', '-s', program('penguindome-agent'), '/usr/local/bin/penguindome-agent']);
  await machine.write('/etc/penguindome/agent.yml', 'plugins:\n  local: true\n');
  await machine.write('/etc/penguindome/plugins/count.sh', COUNT, '755');
  const token = await server.run(['penguindome', 'enrollment', 'token', '--approve', '--uses', '1', '--expires', '1h']);
  await machine.write('/root/token', token, '600');
  await machine.run(['penguindome-agent', 'enroll', '--token-file', '/root/token']);
}

/** As the timer has it done, when it is due: mongod goes on, and a run afterwards finds nothing that it runs on older files of. */
async function renewsCertificate(t: ExecutionContext, member: Machine): Promise<void> {
  const PEM = '/etc/penguindome-mongodb/mongod.pem';
  const serial = () => member.run(['openssl', 'x509', '-noout', '-serial', '-in', PEM]);
  const process = () => member.run(['systemctl', 'show', '-P', 'MainPID', 'mongod']);
  const before = { serial: await serial(), process: await process() };
  await member.run(['systemctl', 'is-active', 'penguindome-mongodb-renew.timer']);
  await member.run(['systemctl', 'start', 'penguindome-mongodb-renew']);
  t.is(await serial(), before.serial, 'it is not due');
  await member.run(['rm', `${SECRETS}/mongod.crt`]);
  await member.run(['systemctl', 'start', 'penguindome-mongodb-renew']);
  t.not(await serial(), before.serial);
  t.is(await process(), before.process, 'mongod runs on');
  const served = await member.run([
    'sh',
    '-c',
    'openssl s_client -connect localhost:27017 </dev/null | openssl x509 -noout -serial',
  ]);
  t.is(served, await serial());
  t.is((await member.run(['penguindome-mongodb-files', 'stale'])).trim(), 'fresh');
}
