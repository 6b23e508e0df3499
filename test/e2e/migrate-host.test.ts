import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { type CommandResult, originalClient } from '../support/original-client.ts';
import { penguindome } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';
import { type Installed, installServer, runServer } from '../support/server-program.ts';
import { onScratchRoot } from './support/needs.ts';

const run = promisify(execFile);
const HOST = 'lap-17';
const KEYS = 'test/fixtures/penguindome-v1';

onScratchRoot(
  'a host with the original client comes over: installs our agent, enrols, is approved, and keeps its history',
  async (t) => {
    const site = await takenOver(t);
    await runServer(t, site);
    const dome = operator(site);
    const client = await originalClient(t, { url: site.localUrl, hostname: HOST, now: new Date() });
    t.is((await client.submit({ hostname: HOST, plugins: { old: { speed: 1 } } })).text, 'ok');
    t.is((await client.submit({ hostname: HOST, plugins: { old: { speed: 2 } } })).text, 'ok');
    const machine = await scratchRoot(t);
    const { url, sha256 } = await servedPackage(t);
    t.deepEqual(await movingOf(dome), null);

    // Another package than was ordered is not installed, and the next order takes the one that fails away.
    await dome('migrate', 'host', HOST, '--package-url', url, '--sha256', 'f'.repeat(64));
    t.like(await movingOf(dome), { state: 'ordered' });
    await client.update();
    t.like(await movingOf(dome), { state: 'fetched' });
    const [failed] = Object.values(await client.runCommands(machine.execute));
    t.like(failed, { returncode: 1 });
    t.regex(JSON.stringify(failed), /has the SHA-256 [0-9a-f]{64}, and not the one that was ordered/);
    t.like(await movingOf(dome), {
      state: 'failed',
      why: 'cannot move this machine over: the package could not be installed',
    });

    await dome('migrate', 'host', HOST, '--package-url', url, '--sha256', sha256);
    await client.update();
    const results = Object.values(await client.runCommands(machine.execute));
    t.is(results.length, 1, 'the former command is gone');
    t.regex(JSON.stringify(results), /was installed.*PENDING/s);
    t.like(await movingOf(dome), { state: 'waits' });
    t.regex(await refused(site, 'migrate', 'host', HOST, '--from-repository'), /waits for approval already/);
    t.is(
      (await client.submit({ hostname: HOST, plugins: { old: { speed: 3 } } })).text,
      'ok',
      'until then it reports as before',
    );

    await dome('enrollment', 'approve', HOST, '--yes');
    for (const step of ['collect', 'submit']) {
      const { status, stderr } = await machine.run(['penguindome-agent', step]);
      t.is(status, 0, `${step}: ${stderr}`);
    }
    const history = JSON.stringify(await dome('hosts', 'history', HOST));
    for (const part of ['plugins.old', 'plugins.os_info']) t.true(history.includes(part), part);
    t.is((await client.submit({ hostname: HOST, plugins: { old: { speed: 4 } } })).status, 403);
    t.like(await dome('migrate', 'status'), { v1: [], v2: 1, still_running: [HOST] });
    t.regex(await refused(site, 'migrate', 'host', HOST, '--from-repository'), /has enrolled already/);
  },
);

/** A server with the original's keys, as `penguindome migrate` leaves it. */
async function takenOver(t: ExecutionContext): Promise<Installed> {
  const site = await installServer(t);
  const keys = ['--server-key', `${KEYS}/server-secret.asc`, '--client-key', `${KEYS}/client-public.asc`];
  await operator(site)('migrate', ...keys);
  return site;
}

function operator({ config }: Installed): (...args: string[]) => Promise<unknown> {
  return async (...args) => {
    const { status, stdout, stderr } = await penguindome(['--config', config, '--json', ...args]);
    if (status !== 0) throw new Error(`penguindome ${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout);
  };
}

async function refused({ config }: Installed, ...args: string[]): Promise<string> {
  const { status, stderr } = await penguindome(['--config', config, ...args]);
  return status === 0 ? 'it was done' : stderr;
}

async function movingOf(dome: ReturnType<typeof operator>): Promise<unknown> {
  const status = await dome('migrate', 'status');
  return JSON.parse(JSON.stringify(status)).v1[0].moving;
}

/** A package of the built agent, such as a site may have, and where it can be fetched. */
async function servedPackage(t: ExecutionContext): Promise<{ url: string; sha256: string }> {
  const tree = join(await scratchFolder(t), 'agent');
  await mkdir(join(tree, 'usr/lib/penguindome'), { recursive: true });
  await mkdir(join(tree, 'usr/bin'));
  await mkdir(join(tree, 'DEBIAN'));
  for (const name of ['penguindome-agent', 'penguindome-agent.bundle.js']) {
    await cp(join('build', name), join(tree, 'usr/lib/penguindome', name));
  }
  await symlink('../lib/penguindome/penguindome-agent', join(tree, 'usr/bin/penguindome-agent'));
  const control = [
    'Package: penguindome-agent',
    'Version: 0.0.1',
    'Architecture: all',
    'Maintainer: a test',
    'Description: agent',
  ];
  await writeFile(join(tree, 'DEBIAN/control'), `${control.join('\n')}\n`);
  await run('dpkg-deb', ['--root-owner-group', '--build', tree, `${tree}.deb`]);
  const content = await readFile(`${tree}.deb`);
  const server = createServer((_, response) => response.end(content)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/agent.deb`, sha256: createHash('sha256').update(content).digest('hex') };
}

interface ScratchRoot {
  run(args: string[]): Promise<{ status: number; stdout: string; stderr: string }>;
  execute(program: string): Promise<CommandResult>;
}

/** This machine's own system under another name, on which everything that is written is thrown away. */
async function scratchRoot(t: ExecutionContext): Promise<ScratchRoot> {
  const folder = await scratchFolder(t);
  for (const part of ['upper', 'work', 'root']) await mkdir(join(folder, part));
  const enter = [
    'set -e',
    `mount -t overlay overlay -o lowerdir=/,upperdir=${folder}/upper,workdir=${folder}/work ${folder}/root`,
    `mount --rbind /proc ${folder}/root/proc`,
    `mount --rbind /dev ${folder}/root/dev`,
    `hostname ${HOST}`,
    `exec chroot ${folder}/root /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"`,
  ].join('\n');
  const inside = (args: string[]) => collect('unshare', ['--mount', '--uts', 'sh', '-c', enter, 'sh', ...args]);
  return {
    run: inside,
    async execute(program) {
      const { status, stdout, stderr } = await inside([program]);
      return status === 0 ? { output: stdout } : { stdout, stderr, returncode: status };
    },
  };
}

function collect(program: string, args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (piece: Buffer) => out.push(piece));
  child.stderr.on('data', (piece: Buffer) => err.push(piece));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) =>
      resolve({ status: status ?? -1, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
  });
}
