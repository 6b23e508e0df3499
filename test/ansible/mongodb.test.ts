import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { ExecutionContext } from 'ava';
import { MongoClient } from 'mongodb';
import * as z from 'zod';
import { systemClock, systemRandom } from '../../src/bin/world.ts';
import { openStore } from '../../src/store/open.ts';
import { startServer } from '../faults/support/built-server.ts';
import { startFleet } from '../faults/support/fleet.ts';
import { watchFleet } from '../faults/support/oracle.ts';
import { seeded } from '../faults/support/seed.ts';
import { installSite } from '../faults/support/site.ts';
import { freePort } from '../support/free-port.ts';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';

const ROLE = join(process.cwd(), 'ansible/roles/penguindome_mongodb');
const mongod = process.env['PENGUINDOME_TEST_MONGOD'];
const works = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const withMongod = whenPresent(
  mongod !== undefined && works('/usr/bin/python3', '-c', 'import pymongo') && works('ansible', '--version'),
  'the tools of the role for MongoDB need a mongod, ansible and python3-pymongo',
);

/** What the role does on one member, in a folder of the test's own. */
interface Member {
  port: number;
  name: string;
  folder: string;
  /** `penguindome-mongodb` or `penguindome-mongodb-files`, as the role installs them */
  tool(name: string, ...args: string[]): { status: number | null; stdout: string; stderr: string };
  /** names the administrator's password that the inventory has, as the role does; @returns whether that changed anything */
  wantPassword(password: string): string;
  /** as JSON, and it must succeed */
  ask(...args: string[]): unknown;
  start(): Promise<void>;
  kill(): Promise<void>;
  isAlive(): boolean;
}

const SECRETS = {
  keyfile: 'k'.repeat(1000),
  'admin-password': 'of-the-administrator',
  'server-password': 'of-the-server',
};

/** @param ports of all members; the first one makes the CA, which the others get */
async function makeMember(
  t: ExecutionContext,
  ports: number[],
  port: number,
  first?: Member,
  days = 825,
): Promise<Member> {
  const scratch = await scratchFolder(t);
  const [folder, data, config] = [join(scratch, 'etc'), join(scratch, 'db'), join(scratch, 'mongod.conf')];
  const secrets = join(folder, 'secrets');
  for (const each of [folder, data, secrets]) await mkdir(each, { mode: 0o700 });
  for (const [name, text] of Object.entries(SECRETS)) await writeFile(join(secrets, name), text, { mode: 0o600 });
  await writeFile(join(folder, 'keyfile'), SECRETS.keyfile, { mode: 0o400 });
  const name = `localhost:${port}`;
  const members = ports.map((each) => `localhost:${each}`);
  const plan = {
    name: 'rs0',
    port,
    self: name,
    members,
    admin: 'penguindome-admin',
    user: 'penguindome',
    database: 'pd',
  };
  await writeFile(join(folder, 'set.json'), JSON.stringify(plan));
  const env = { ...process.env, PENGUINDOME_MONGODB_FOLDER: folder, PENGUINDOME_MONGODB_USER: userInfo().username };
  const tool: Member['tool'] = (program, ...args) =>
    spawnSync(join(ROLE, 'files', program), args, { env, encoding: 'utf8' });
  if (first === undefined) t.is(tool('penguindome-mongodb-files', 'authority').stdout, 'changed\n');
  else
    for (const file of ['ca.key', 'ca.crt'])
      await writeFile(join(secrets, file), await readFile(join(first.folder, 'secrets', file)), { mode: 0o600 });
  t.is(tool('penguindome-mongodb-files', 'certificate', 'localhost', `${days}`).stdout, 'changed\n');
  t.is(tool('penguindome-mongodb-files', 'bundle', 'localhost').stdout, 'changed\n');
  await writeSettings(config, {
    penguindome_mongodb_data: data,
    penguindome_mongodb_folder: folder,
    penguindome_mongodb_port: port,
  });
  let child: ChildProcess | undefined;
  const isAlive = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  const kill = async () => {
    if (child === undefined || !isAlive()) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  t.teardown(kill);
  t.teardown(async () => {
    if (!t.passed) t.log((await readFile(join(scratch, 'log'), 'utf8')).split('\n').slice(-30).join('\n'));
  });
  return {
    ...{ port, name, folder, tool, kill, isAlive },
    wantPassword(input) {
      const { status, stdout, stderr } = spawnSync(join(ROLE, 'files/penguindome-mongodb-files'), ['administrator'], {
        env,
        input,
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(stderr);
      return stdout.trim();
    },
    ask(...args) {
      const { status, stdout, stderr } = tool('penguindome-mongodb', ...args);
      if (status !== 0) throw new Error(`penguindome-mongodb ${args.join(' ')}: ${stderr}`);
      return JSON.parse(stdout);
    },
    async start() {
      const log = openSync(join(scratch, 'log'), 'a');
      child = spawn(mongod ?? t.fail(), ['--config', config], { stdio: ['ignore', log, log] });
      closeSync(log);
    },
  };
}

/** As the role's template has them. */
async function writeSettings(file: string, variables: Record<string, unknown>): Promise<void> {
  const given = ['-e', `@${join(ROLE, 'defaults/main.yml')}`, '-e', JSON.stringify(variables)];
  const template = `src=${join(ROLE, 'templates/mongod.conf.j2')} dest=${file} mode=0600`;
  const args = [
    'localhost',
    '-i',
    'localhost,',
    '-c',
    'local',
    '-m',
    'ansible.builtin.template',
    '-a',
    template,
    ...given,
  ];
  const { status, stdout, stderr } = spawnSync('ansible', args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  if (status !== 0) throw new Error(`cannot write ${file}: ${stdout}${stderr}`);
}

const storeOf = ({ folder }: Member, members: Member[]) => ({
  kind: 'mongo' as const,
  hosts: members.map(({ name }) => name),
  replica_set: 'rs0',
  database: 'pd',
  user: 'penguindome',
  tls: true,
  ca: join(folder, 'ca.crt'),
});
const world = { clock: systemClock, random: systemRandom };

withMongod(
  'the role makes a set of one member that lets in the server and nobody else, and makes it once',
  async (t) => {
    const port = await freePort();
    const member = await makeMember(t, [port], port);
    await member.start();
    t.deepEqual(member.ask('wait', '60'), { state: 'not in a set yet' });
    const { changed } = z.object({ changed: z.boolean() }).parse(member.ask('ensure', '60', '--dry-run'));
    t.true(changed);
    t.deepEqual(member.ask('wait', '60'), { state: 'not in a set yet' }, 'a dry run changes nothing');
    t.deepEqual(member.ask('ensure', '60'), {
      changed: true,
      did: ['replica set rs0', 'administrator penguindome-admin', 'user penguindome'],
      primary: member.name,
    });
    t.deepEqual(member.ask('ensure', '60'), { changed: false, did: [], primary: member.name });
    t.deepEqual(member.ask('verify', '60'), { set: 'rs0', members: { [member.name]: 'PRIMARY' } });

    const settings = storeOf(member, [member]);
    const store = await openStore(settings, { ...world, password: SECRETS['server-password'] });
    t.truthy((await store.state()).epoch);
    await store.close();
    await t.throwsAsync(openStore(settings, { ...world, password: 'wrong' }), { message: /Authentication failed/ });
    const plain = { ...settings, tls: false, ca: undefined };
    await t.throwsAsync(openStore(plain, { ...world, password: SECRETS['server-password'] }));
    const client = new MongoClient(`mongodb://penguindome:of-the-server@${member.name}/?authSource=pd`, {
      tls: true,
      ca: await readFile(join(member.folder, 'ca.crt')),
    });
    await t.throwsAsync(client.db('other').collection('x').insertOne({ a: 1 }), { message: /not authorized/ });
    await client.close();

    await writeFile(join(member.folder, 'secrets/server-password'), 'another-one');
    t.regex(member.tool('penguindome-mongodb', 'verify', '5').stderr, /Authentication failed/);
    t.deepEqual(member.ask('ensure', '60'), {
      changed: true,
      did: ['password or roles of penguindome'],
      primary: member.name,
    });
    t.notThrows(() => member.ask('verify', '60'));
    await writeFile(join(member.folder, 'secrets/admin-password'), 'not-it');
    t.regex(
      member.tool('penguindome-mongodb', 'ensure', '5').stderr,
      /admin-password is not the one that the database knows/,
    );
  },
);

withMongod(
  "the administrator's password is replaced by means of the one before, which is kept until then, wherever that is broken off",
  async (t) => {
    const port = await freePort();
    const member = await makeMember(t, [port], port);
    const kept = () => readFile(join(member.folder, 'secrets/admin-password'), 'utf8');
    await member.start();
    member.ask('ensure', '60');
    t.is(member.wantPassword('another'), 'changed');
    t.is(member.wantPassword('another'), 'unchanged');
    t.is(await kept(), SECRETS['admin-password']);
    t.notThrows(() => member.ask('status'), 'nothing is replaced yet');
    const foretold = { changed: true, did: ['password of penguindome-admin'], primary: member.name };
    t.deepEqual(member.ask('ensure', '60', '--dry-run'), foretold);
    t.deepEqual(member.ask('ensure', '60'), foretold);
    t.is(await kept(), 'another');
    t.deepEqual(member.ask('ensure', '60'), { changed: false, did: [], primary: member.name });
    t.notThrows(() => member.ask('verify', '60'));

    // As if it had been broken off when the database knew the new one, and the file did not.
    t.is(member.wantPassword('a-third'), 'changed');
    const ca = await readFile(join(member.folder, 'ca.crt'));
    const client = new MongoClient(`mongodb://penguindome-admin:another@${member.name}/?authSource=admin`, {
      tls: true,
      ca,
    });
    await client.db('admin').command({ updateUser: 'penguindome-admin', pwd: 'a-third' });
    await client.close();
    t.notThrows(() => member.ask('status'));
    t.deepEqual(member.ask('ensure', '60'), { changed: false, did: [], primary: member.name });
    t.is(await kept(), 'a-third');

    t.is(member.wantPassword('never-used'), 'changed');
    t.is(member.wantPassword('a-third'), 'changed', 'taken back');
    t.deepEqual(member.ask('ensure', '60'), { changed: false, did: [], primary: member.name });
    t.is(await kept(), 'a-third');
  },
);

withMongod(
  'of three members the primary is killed in the middle of reports: another goes on, and nothing is lost',
  async (t) => {
    t.timeout(180_000, 'a set of three');
    const ports = [await freePort(), await freePort(), await freePort()];
    const first = await makeMember(t, ports, ports[0] ?? 0);
    const others = await Promise.all(ports.slice(1).map((port) => makeMember(t, ports, port, first)));
    const members = [first, ...others];
    for (const member of members) await member.start();
    const made = z.object({ primary: z.string(), did: z.array(z.string()) }).parse(first.ask('ensure', '90'));
    t.is(made.primary, first.name);
    t.deepEqual(
      made.did.slice(2, 4),
      others.map(({ name }) => `member ${name}`),
    );
    for (const member of members) t.deepEqual(member.ask('verify', '60'), first.ask('status'));

    const settings = { ...storeOf(first, members), password_file: join(first.folder, 'secrets/server-password') };
    const site = await installSite(t, settings);
    const server = await startServer(t, site);
    const store = await openStore(settings, { ...world, password: SECRETS['server-password'] });
    t.teardown(() => store.close());
    const fleet = await startFleet(t, site, store, seeded(t), { v2: 4, v1: 1 });
    const oracle = watchFleet(fleet);
    await fleet.progress(20);
    await first.kill();
    await fleet.progress(20);
    await fleet.drain();
    await oracle.settle(t, store);
    const { primary } = z.object({ primary: z.string() }).parse(others[0]?.ask('ensure', '60'));
    t.true(others.some(({ name }) => name === primary));

    await first.start();
    t.notThrows(() => first.ask('verify', '60'), 'it is a member again');
    t.is(await server.stop(), 0);
  },
);

/** How many days the certificate is good for that mongod serves now. */
async function daysServed({ port, folder }: Member): Promise<number> {
  const ca = await readFile(join(folder, 'ca.crt'));
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca });
  await once(socket, 'secureConnect');
  const { valid_to } = socket.getPeerCertificate();
  socket.destroy();
  return Math.round((Date.parse(valid_to) - Date.now()) / 86_400_000);
}

withMongod('a certificate that is near its end is renewed, and mongod takes it without a restart', async (t) => {
  const port = await freePort();
  const member = await makeMember(t, [port], port, undefined, 30);
  await member.start();
  member.ask('ensure', '60');
  t.is(await daysServed(member), 30);
  const store = await openStore(storeOf(member, [member]), { ...world, password: SECRETS['server-password'] });
  t.teardown(() => store.close());

  const renew = (...given: string[]) => member.tool('penguindome-mongodb-files', 'renew', 'localhost', '825', ...given);
  t.like(renew(), { status: 0, stdout: 'changed\n', stderr: '' });
  t.is(await daysServed(member), 825);
  t.true(member.isAlive(), 'it is the same process');
  t.truthy((await store.state()).epoch, 'who was connected still is');
  t.notThrows(() => member.ask('verify', '60'));
  t.like(renew(), { status: 0, stdout: 'unchanged\n' });

  // What mongod did not take at one time it takes at the next.
  await rm(join(member.folder, 'secrets/mongod.crt'));
  t.is(member.tool('penguindome-mongodb-files', 'certificate', 'localhost', '400').stdout, 'changed\n');
  t.is(member.tool('penguindome-mongodb-files', 'bundle', 'localhost').stdout, 'changed\n');
  t.is(await daysServed(member), 825);
  t.like(renew(), { status: 0, stdout: 'changed\n' });
  t.is(await daysServed(member), 400);

  await member.kill();
  t.like(renew(), { status: 0, stdout: 'unchanged\n' }, 'one that does not run reads it when it starts');
});

withMongod('a given certificate is taken over when it is another one; where it ends soon, that is told', async (t) => {
  const port = await freePort();
  const member = await makeMember(t, [port], port);
  await member.start();
  member.ask('ensure', '60');
  const given = ['mongod.crt', 'mongod.key', 'ca.crt'].map((name) => join(member.folder, 'secrets', name));
  const renew = () => member.tool('penguindome-mongodb-files', 'renew', 'localhost', '825', ...given);
  t.like(renew(), { status: 0, stdout: 'unchanged\n' });
  const another = async (days: number) => {
    await rm(join(member.folder, 'secrets/mongod.crt'));
    t.is(member.tool('penguindome-mongodb-files', 'certificate', 'localhost', `${days}`).stdout, 'changed\n');
  };
  await another(20);
  t.like(renew(), { status: 0, stdout: 'changed\n' }, 'whoever gives it renews it');
  t.is(await daysServed(member), 20);
  await another(10);
  const soon = renew();
  t.is(soon.status, 1);
  t.regex(soon.stderr, /mongod\.pem, or its CA, ends within 14 days, and there is no newer one: notAfter=/);
  t.is(await daysServed(member), 10);
  await rm(join(member.folder, 'secrets/mongod.crt'));
  t.regex(renew().stderr, /cannot use .*mongod\.crt: it is missing or empty/);
});
