import { spawn, spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../packaging/install.mjs';
import { freePort, startMongods } from '../support/mongods.mjs';
import { median, row } from './table.mjs';

const CONNECTIONS = 16;
const KINDS = {
  v1: 'v1 submissions (6 KB)',
  'v2-full': 'v2 changed reports (6 KB)',
  'v2-quiet': 'v2 unchanged check-ins',
};

/** Submissions per second, by kind, store and verifier; each beside the bare koa server. */
export async function measureServer(options) {
  const { scratch, progress, quick, wanted } = options;
  const rounds = quick ? 1 : 3;
  const rows = {};
  await mkdir(join(scratch, 'mongods'), { recursive: true });
  const mongods = await startMongods(join(scratch, 'mongods'));
  const gpgHome = await makeGpgHome(scratch);
  try {
    const stores = mongods.env.PENGUINDOME_TEST_MONGO_REPLICA_SET === undefined ? ['embedded'] : ['embedded', 'mongo'];
    for (const kind of Object.keys(KINDS)) {
      for (const store of stores) {
        const name = `${KINDS[kind]}, ${store}`;
        if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
        progress(`${name} …`);
        const setting = { ...options, kind, store, gpgHome, mongo: mongods.env.PENGUINDOME_TEST_MONGO_REPLICA_SET };
        const runs = [];
        for (let round = 0; round < rounds; round += 1) runs.push(await measureOnce(setting, round));
        const [ours, byGpg, ceiling] = ['ours', 'byGpg', 'ceiling'].map((side) => median(runs.map((run) => run[side])));
        rows[`${name}: beside bare koa`] = row({
          value: ours,
          unit: '/s',
          reference: { name: 'bare koa https', value: ceiling },
        });
        rows[`${name}: beside gpg --verify`] = row({
          value: ours,
          unit: '/s',
          reference: { name: 'one gpg process per request', value: byGpg },
        });
      }
    }
  } finally {
    await mongods.stop();
    spawnSync('gpgconf', ['--homedir', gpgHome, '--kill', 'all']);
  }
  return rows;
}

/** All three servers one after the other, in this same round: their ratios are fair though the machine's speed drifts. */
async function measureOnce(setting, round) {
  const folder = join(setting.scratch, `${setting.kind}-${setting.store}-${round}`);
  const { port, requests } = await prepare(setting, folder, setting.quick ? 400 : 1500);
  const bySide = {};
  bySide.ours = await underLoad(
    setting,
    folder,
    port,
    requests,
    [process.execPath, `${root}build/penguindome-server`, '--config', `${folder}/server.yml`],
    '200',
  );
  bySide.ceiling = await underLoad(
    setting,
    folder,
    port,
    requests,
    [process.execPath, `${setting.programs}/ceiling.mjs`, `${folder}/pki/server.crt`, `${folder}/pki/server.key`, port],
    '200',
  );
  await rm(folder, { recursive: true, force: true });
  const few = await prepare(setting, folder, setting.quick ? 100 : 300);
  bySide.byGpg = await underLoad(
    setting,
    folder,
    few.port,
    few.requests,
    [process.execPath, `${setting.programs}/server-gpg.mjs`, '--config', `${folder}/server.yml`],
    '200',
  );
  await rm(folder, { recursive: true, force: true });
  return bySide;
}

/** A fresh server's folder and store, hosts in it, and their next requests in a file. */
async function prepare({ kind, store, mongo, programs }, folder, count) {
  const [port, localPort] = [await freePort(), await freePort()];
  const host = new URL(mongo ?? 'mongodb://none').host;
  const names = [
    '--port',
    port,
    '--local-port',
    localPort,
    '--public-url',
    `https://localhost:${port}`,
    '--host-name',
    'localhost',
    '--log-level',
    'error',
  ];
  const database = [
    '--store',
    'mongo',
    '--mongo-host',
    host,
    '--mongo-replica-set',
    'rs0',
    '--mongo-database',
    `bench_${port}`,
  ];
  const program = [`${root}build/penguindome`];
  must([...program, 'setup', '--yes', '--dir', folder, ...names, ...(store === 'mongo' ? database : [])]);
  const config = ['--config', `${folder}/server.yml`];
  if (kind === 'v1') {
    must([
      ...program,
      ...config,
      'migrate',
      '--server-key',
      `${root}test/fixtures/penguindome-v1/server-secret.asc`,
      '--client-key',
      `${root}test/fixtures/penguindome-v1/client-secret.asc`,
    ]);
  }
  const requests = join(folder, 'requests');
  must([`${programs}/prepare.mjs`, kind, `${folder}/server.yml`, `localhost:${port}`, count, requests]);
  return { port, requests };
}

async function underLoad({ gpgHome }, folder, port, requests, command, expected) {
  const [program, ...args] = command.map(String);
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  const server = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...inherited, PENGUINDOME_BENCH_GPG_HOME: gpgHome },
  });
  try {
    await untilListening(port, server);
    const load = [join(root, 'test/bench/load.mjs'), requests, port, `${folder}/pki/ca.crt`, CONNECTIONS];
    const said = JSON.parse(await output(load));
    const wrong = Object.keys(said.statuses).filter((status) => status !== expected);
    if (wrong.length > 0) throw new Error(`cannot measure: the server answered ${JSON.stringify(said.statuses)}`);
    return said.perSecond;
  } finally {
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await gone;
  }
}

async function untilListening(port, server) {
  const { connect } = await import('node:net');
  for (let tries = 0; tries < 600; tries += 1) {
    if (server.exitCode !== null) break;
    const up = await new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => resolve(true) || socket.destroy());
      socket.once('error', () => resolve(false));
    });
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('cannot measure: the server does not listen');
}

function must(args) {
  const { status, stderr, stdout } = spawnSync(process.execPath, args.map(String), { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot prepare: ${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
}

async function output(args) {
  const child = spawn(process.execPath, args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text) => (said += text));
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`cannot measure: ${args[0]} ended with ${status}`);
  return said;
}

/** A keyring of its own with the original client's public key (RSA-3072), and one message that it signed. */
async function makeGpgHome(scratch) {
  const home = join(scratch, 'gpg');
  await mkdir(home, { mode: 0o700 });
  const gpg = (args, input) =>
    spawnSync('gpg', ['--homedir', home, '--batch', '--quiet', ...args], { input, cwd: root });
  gpg(['--import', 'test/fixtures/penguindome-v1/client-secret.asc']);
  await writeFile(`${home}/message`, 'x'.repeat(6000));
  const signed = gpg([
    '--trust-model',
    'always',
    '--armor',
    '--detach-sign',
    '--output',
    `${home}/message.asc`,
    `${home}/message`,
  ]);
  if (signed.status !== 0) throw new Error(`cannot make a signature with gpg: ${signed.stderr}`);
  return home;
}
