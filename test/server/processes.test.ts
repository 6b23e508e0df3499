import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { loadSigningKey } from '../../src/crypto/ed25519.ts';
import { openStore } from '../../src/store/open.ts';
import { testPki } from '../support/certificates.ts';
import { httpRequest } from '../support/http.ts';
import { whenPresent } from '../support/needs.ts';
import { notifySocket } from '../support/notify-socket.ts';
import { scratchFolder } from '../support/scratch.ts';
import {
  type Installed,
  installServer,
  isRunning,
  processesOf,
  type RunningProgram,
  runServer,
  until,
} from '../support/server-program.ts';
import { makeToken, type V2Client, v2Client } from '../support/v2-client.ts';
import { realClock, realRandom } from '../support/world.ts';

const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
/** More than one worker could get by chance. */
const SOME = 6;

/** What setup made, for two workers. */
async function installTwo(t: ExecutionContext, change = (settings: string) => settings): Promise<Installed> {
  const installed = await installServer(t);
  const settings = await readFile(installed.config, 'utf8');
  await writeFile(installed.config, change(settings.replace('# processes: 2', 'processes: 2')));
  return installed;
}

async function storeOf(t: ExecutionContext, { dir }: Installed) {
  const store = await openStore(
    { kind: 'embedded', file: join(dir, 'store/penguindome.db') },
    { clock: realClock, random: realRandom },
  );
  t.teardown(() => store.close());
  return store;
}

async function clientOf({ dir, url }: Installed): Promise<V2Client> {
  const [answerKey, ca] = await Promise.all([
    readFile(join(dir, 'keys/answer.key'), 'utf8'),
    readFile(join(dir, 'pki/ca.crt'), 'utf8'),
  ]);
  return v2Client({ url, ca, answerKey: loadSigningKey(answerKey), hostname: 'penguin-07' });
}

async function open({ url }: Installed, session?: Buffer): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    rejectUnauthorized: false,
    ...(session === undefined ? {} : { session }),
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** The fingerprints that new connections are shown. */
async function shown(installed: Installed): Promise<string[]> {
  const fingerprints: string[] = [];
  for (let count = 0; count < SOME; count++) {
    const socket = await open(installed);
    fingerprints.push(socket.getPeerCertificate().fingerprint256);
    socket.destroy();
  }
  return fingerprints;
}

/** Each process's own end of the connections to this port. */
async function connectionsOf(pid: number, { url }: Installed): Promise<number> {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')));
  const rows = tables.flatMap((table) => table.split('\n')).map((line) => line.trim().split(/\s+/));
  const inodes = new Set(
    rows.filter(([, local, , state]) => local?.endsWith(`:${port}`) && state === '01').map((row) => row[9]),
  );
  const descriptors = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return links.filter((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1])).length;
}

async function isWell({ localUrl }: Installed): Promise<boolean> {
  return httpRequest(`${localUrl}/readyz`, {}).then(
    ({ status }) => status === 200,
    () => false,
  );
}

function eventsOf({ lines }: RunningProgram, event: string): Record<string, unknown>[] {
  return lines.filter((line) => line['event'] === event);
}

test('connections go to both workers, and each resumes the session that the other began', async (t) => {
  const installed = await installTwo(t);
  const server = await runServer(t, installed);
  const { workers, writers } = await processesOf(server);
  t.deepEqual([workers.length, writers.length], [2, 1]);
  const first = await open(installed);
  const [ticket]: Buffer[] = await once(first, 'session');
  const later: TLSSocket[] = [];
  for (let count = 1; count < SOME; count++) later.push(await open(installed, ticket));
  t.true(later.every((socket) => socket.isSessionReused()));
  for (const worker of workers) t.is(await connectionsOf(worker, installed), SOME / 2);
  for (const socket of [first, ...later]) socket.destroy();
});

test('enrolments are counted over all workers', async (t) => {
  const installed = await installTwo(t, (settings) => settings.replace('# enroll_rate: 30', 'enroll_rate: 3'));
  await runServer(t, installed);
  const client = await clientOf(installed);
  const statuses: number[] = [];
  for (let count = 0; count < SOME; count++) statuses.push((await client.enroll('A'.repeat(32))).status);
  t.deepEqual(statuses, [403, 403, 403, 429, 429, 429]);
});

test('a worker that is killed comes back, and the other one answers meanwhile', async (t) => {
  const installed = await installTwo(t);
  const server = await runServer(t, installed);
  const [one = 0, other = 0] = (await processesOf(server)).workers;
  for (const [count, pid] of [one, other].entries()) {
    process.kill(pid, 'SIGKILL');
    await server.waitFor('process.lost', count + 1);
    t.true(await isWell(installed));
    await server.waitFor('process.back', count + 1);
  }
  const told = eventsOf(server, 'process.lost').map(({ role, pid, reason }) => [role, pid, reason]);
  t.deepEqual(told, [
    ['worker', one, 'ended by SIGKILL'],
    ['worker', other, 'ended by SIGKILL'],
  ]);
  const { workers } = await processesOf(server);
  t.is(workers.length, 2);
  t.false(workers.includes(one) || workers.includes(other));
  t.true(await isWell(installed));
  server.child.kill('SIGTERM');
  t.is(await server.ended, 0);
});

test('a writer that is killed comes back; nothing that was acknowledged is lost', async (t) => {
  const installed = await installTwo(t);
  const server = await runServer(t, installed);
  const store = await storeOf(t, installed);
  const client = await clientOf(installed);
  await client.enroll(await makeToken(store));
  const acknowledged: number[] = [];
  const submit = async (value: number): Promise<void> => {
    const submission = realRandom.uuid();
    // The same one again, as an agent does: it may have been stored, and its answer lost.
    await until(async () => {
      const { status } = await client.submit({ 'plugins.x': value }, { submission });
      if (status !== 200) t.is(status, 503);
      return status === 200;
    });
    acknowledged.push(value);
    t.is((await store.hosts.find('penguin-07'))?.plugins?.['x'], value);
  };
  await submit(0);
  for (const kill of [1, 2]) {
    const [writer = 0] = (await processesOf(server)).writers;
    process.kill(writer, 'SIGKILL');
    await submit(kill);
    await server.waitFor('process.back', kill);
    await submit(-kill);
  }
  t.deepEqual(acknowledged, [0, 1, -1, 2, -2]);
  t.is(eventsOf(server, 'process.lost').filter(({ role }) => role === 'writer').length, 2);
});

test('a primary that is killed takes all along, and the same ports can be served at once', async (t) => {
  const installed = await installTwo(t);
  const temporary = await scratchFolder(t);
  const server = await runServer(t, installed, { TMPDIR: temporary });
  const { workers, writers } = await processesOf(server);
  t.is((await readdir(temporary)).length, 1);
  server.child.kill('SIGKILL');
  // They hold its standard output: `close` comes when the last of them has ended.
  t.is(await server.ended, 'SIGKILL');
  for (const pid of [...workers, ...writers]) await until(async () => !(await isRunning(pid)));
  t.deepEqual(await readdir(temporary), [], 'the folder of the socket is gone');
  await runServer(t, installed);
  t.true(await isWell(installed));
});

test('SIGHUP reaches every worker, one that is just starting too; what cannot be taken over changes none', async (t) => {
  const installed = await installTwo(t);
  const server = await runServer(t, installed);
  const pki = await testPki(join(installed.dir, 'state/tls'));
  const before = await shown(installed);
  await pki.issue();
  server.child.kill('SIGHUP');
  await server.waitFor('server.reloaded');
  const second = await shown(installed);
  t.deepEqual([new Set(before).size, new Set(second).size], [1, 1]);
  t.notDeepEqual(second, before);

  const [victim = 0] = (await processesOf(server)).workers;
  process.kill(victim, 'SIGKILL');
  await pki.issue();
  server.child.kill('SIGHUP');
  await server.waitFor('server.reloaded', 2);
  await server.waitFor('process.back');
  await until(async () => new Set([...second, ...(await shown(installed))]).size === 2);
  await until(async () => !(await shown(installed)).some((each) => second.includes(each)));
  const third = await shown(installed);

  const taken = createServer().listen(0);
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const address = taken.address();
  const settings = await readFile(installed.config, 'utf8');
  const { port } = typeof address === 'object' && address !== null ? address : { port: 0 };
  await writeFile(installed.config, settings.replace(/^( +)- port: \d+$/m, `$1- port: ${port}`));
  await pki.issue();
  server.child.kill('SIGHUP');
  await server.waitFor('server.reload-failed');
  t.regex(String(eventsOf(server, 'server.reload-failed')[0]?.['reason']), /another program has it/);
  t.deepEqual(await shown(installed), third);
});

test('SIGHUP takes changed checks, overrides and the profile over, in every worker', async (t) => {
  const installed = await installTwo(t);
  const folder = join(installed.dir, 'checks.d');
  const server = await runServer(t, installed);
  const store = await storeOf(t, installed);
  const client = await clientOf(installed);
  await client.enroll(await makeToken(store));
  const judgedBy = async (value: number) => {
    t.is((await client.submit({ 'plugins.x': value })).status, 200);
    return Object.keys((await store.hosts.find(client.hostname))?.checks?.results ?? {});
  };
  const before = await judgedBy(0);
  for (const name of ['firewall-disabled', 'unencrypted-hard-drive']) t.true(before.includes(name), name);

  await writeFile(join(folder, 'f.yaml'), 'overrides: firewall-disabled\nenabled: false\n');
  await writeFile(join(folder, 'x.yaml'), 'name: x\ntitle: X\nquery: { plugins.x: 3 }\n');
  const settings = await readFile(installed.config, 'utf8');
  await writeFile(installed.config, settings.replace('# checks_profile: laptop', 'checks_profile: server'));
  server.child.kill('SIGHUP');
  await server.waitFor('server.reloaded');
  for (let value = 1; value <= SOME; value++) {
    const after = await judgedBy(value);
    t.false(after.includes('firewall-disabled'), 'the override');
    t.false(after.includes('unencrypted-hard-drive'), 'the profile');
    t.true(after.includes('x'), 'a check of its own');
  }
});

for (const event of ['server.ready', 'server.starting']) {
  test(`a stop that comes to the whole process group ends in order, after ${event}`, async (t) => {
    const server = await runServer(t, await installTwo(t), {}, event);
    process.kill(-(server.child.pid ?? 0), 'SIGTERM');
    t.is(await server.ended, 0);
    t.is(server.lines.at(-1)?.['event'], 'server.stopped');
    t.deepEqual(eventsOf(server, 'process.lost'), []);
  });
}

whenPresent(has('systemd-notify') && has('python3'), 'processes under systemd: no systemd-notify, or no python3')(
  'the watchdog hears nothing while a worker hangs, and hears again when it goes on',
  async (t) => {
    const installed = await installTwo(t);
    const socket = await notifySocket(t);
    const server = await runServer(t, installed, { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '2000000' });
    t.regex(await socket.waitFor('STATUS='), /2 ports, store reachable, \d+ requests since the start, \d+ refused/);
    const pings = () => socket.told.filter((line) => line === 'WATCHDOG=1').length;
    await until(() => pings() > 2);
    const { workers, writers } = await processesOf(server);
    for (const pid of [...workers, ...writers]) {
      process.kill(pid, 'SIGSTOP');
      // Quiet for longer than systemd would wait: it would have ended the service.
      let quiet = { pings: pings(), since: performance.now() };
      await until(() => {
        if (pings() !== quiet.pings) quiet = { pings: pings(), since: performance.now() };
        return performance.now() - quiet.since > 2000;
      });
      process.kill(pid, 'SIGCONT');
      await until(() => pings() > quiet.pings + 1);
    }
    t.deepEqual(eventsOf(server, 'process.lost'), []);
    server.child.kill('SIGTERM');
    t.is(await server.ended, 0);
  },
);
