// A server's folder, its server, and what the server's processes use.
import { spawn, spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { root } from '../../packaging/install.mjs';
import { freePort } from '../support/mongods.mjs';

/** Sets up a server's folder. @returns its ports and where its files are */
export async function setUp({ store, mongo, v1 = false, publicPort }, folder) {
  const [port, localPort] = [await freePort(), await freePort()];
  const program = [`${root}build/penguindome`];
  const database = [
    ...['--store', 'mongo', '--mongo-host', new URL(mongo ?? 'mongodb://none').host],
    ...['--mongo-replica-set', 'rs0', '--mongo-database', `bench_${port}`],
  ];
  must([
    ...[...program, 'setup', '--yes', '--dir', folder, '--port', port, '--local-port', localPort],
    ...['--public-url', `https://localhost:${publicPort ?? port}`, '--host-name', 'localhost', '--log-level', 'error'],
    ...(store === 'mongo' ? database : []),
  ]);
  const config = `${folder}/server.yml`;
  const keys = ['server', 'client'].flatMap((name) => [
    `--${name}-key`,
    `${root}test/fixtures/penguindome-v1/${name}-secret.asc`,
  ]);
  if (v1) must([...program, '--config', config, 'migrate', ...keys]);
  return { port, config, folder, ca: `${folder}/pki/ca.crt`, authority: `localhost:${port}` };
}

/** Hosts into the store, and what they send next into a file. @returns its path */
export function prepare({ programs }, site, kind, count) {
  const file = join(site.folder, kind);
  must([`${programs}/prepare.mjs`, kind, site.config, site.authority, count, file]);
  return file;
}

/** Runs a server while the work is done. @param command the program and its arguments */
export async function whileServing({ port }, command, env, work) {
  const [program, ...args] = command.map(String);
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  const server = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...inherited, ...env } });
  const gone = new Promise((resolve) => server.once('exit', resolve));
  try {
    await untilListening(port, server);
    return await work(server.pid);
  } finally {
    server.kill('SIGTERM');
    await gone;
  }
}

export const ourServer = ({ config }) => [process.execPath, `${root}build/penguindome-server`, '--config', config];

/** Runs a program of ours that prints one JSON object. Every answer it counts must be a 200. */
export async function load(program, options) {
  const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`cannot measure: ${program} ended with ${status}`);
  const figures = JSON.parse(said);
  if (Object.keys(figures.statuses).join() !== '200') {
    throw new Error(`cannot measure: the server answered ${JSON.stringify(figures.statuses)}`);
  }
  return figures;
}

/** CPU seconds so far, and memory in MB, of a process and all below it: `pss` counts what they share once. */
export async function usageOf(pid) {
  const pids = await family(pid);
  const each = await Promise.all(pids.map(usageOfOne));
  const sum = (name) => each.reduce((total, usage) => total + (usage?.[name] ?? 0), 0);
  return { processes: pids.length, cpu: sum('cpu'), pss: sum('pss'), rss: sum('rss') };
}

const TICKS_PER_SECOND = 100;

async function usageOfOne(pid) {
  try {
    const stat = (await readFile(`/proc/${pid}/stat`, 'latin1')).replace(/^.*\) /s, '').split(' ');
    const memory = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1');
    const megabytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(memory)?.[1] ?? 0) / 1024;
    return {
      cpu: (Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND,
      pss: megabytes('Pss'),
      rss: megabytes('Rss'),
    };
  } catch {
    return undefined;
  }
}

async function family(pid) {
  const parents = new Map();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    parents.set(Number(name), Number(stat.replace(/^.*\) /s, '').split(' ')[1]));
  }
  const found = [pid];
  for (const parent of found) for (const [child, of] of parents) if (of === parent) found.push(child);
  return found;
}

async function untilListening(port, server) {
  for (let tries = 0; tries < 1200 && server.exitCode === null; tries += 1) {
    const up = await new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => resolve(true) || socket.destroy());
      socket.once('error', () => resolve(false));
    });
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('cannot measure: the server does not listen');
}

export function must(args) {
  const { status, stderr, stdout } = spawnSync(process.execPath, args.map(String), { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot prepare: ${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
}
