import { spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { freePort } from '../support/free-port.ts';
import { scratchFolder } from '../support/scratch.ts';
import { npmRunAppliance } from './support/appliance.ts';
import { type ContainerImage, containerImage } from './support/container-image.ts';
import { finish } from './support/finish.ts';
import { onMachineWithPackages } from './support/needs.ts';
import { run } from './support/packages.ts';

onMachineWithPackages('sources that are not there are told before anything is built', async (t) => {
  const args = ['appliance/build.mjs', 'container', '--deb', 'none.deb', '--sources', '/nonexistent/sources'];
  const { status, stderr } = await finish(process.execPath, args);
  t.is(status, 1);
  t.regex(stderr, /^appliance: .*\/nonexistent\/sources/);
});

onMachineWithPackages(
  'the container image is what its digests say, and its server sets itself up once, as no root, on a root that it cannot write to',
  async (t) => {
    const image = await containerImage(t);
    t.timeout(5 * 60_000, 'a server that hangs');
    t.regex(image.User, /^[1-9]\d*:[1-9]\d*$/);
    const volume = await volumeOf(t, image);
    const ports = { port: await freePort(), local: await freePort() };
    const flags = ['--host-name', 'localhost', '--port', `${ports.port}`, '--local-port', `${ports.local}`];
    const start = (...args: string[]) => startIn(t, image, volume, [...image.Entrypoint, ...args]);

    const lost = start();
    t.is(await lost.ended, 2, 'without a name it says what it needs');
    t.regex(lost.said(), /say by which name agents reach it/);
    const first = start(...flags);
    await isReady(ports.local, first);
    const ca = await readFile(join(volume, 'pki/ca.crt'), 'utf8');
    first.stop();
    t.is(await first.ended, 0);

    const second = start();
    await isReady(ports.local, second);
    t.is(await readFile(join(volume, 'pki/ca.crt'), 'utf8'), ca);
    second.stop();
    t.is(await second.ended, 0);
  },
);

onMachineWithPackages(
  'the same packages give the same bytes, whatever folder and umask they are built in',
  async (t) => {
    const { layout } = await containerImage(t);
    t.timeout(15 * 60_000, 'building an image');
    const other = join(await scratchFolder(t), 'other');
    const mask = process.umask(0o077);
    t.teardown(() => process.umask(mask));
    await mkdir(other);
    const [again = ''] = (await npmRunAppliance(t, other, 'container')).split('  ');
    const { status, stdout } = await finish('diff', ['-r', '-q', layout, again]);
    t.is(status, 0, stdout);
  },
);

/** As a runtime makes an empty one: with what the image has in its place, and whose it is there. */
async function volumeOf(t: ExecutionContext, { root, Volumes }: ContainerImage): Promise<string> {
  const [place, ...more] = Object.keys(Volumes);
  if (place === undefined || more.length > 0) throw new Error('expected one volume');
  const volume = join(await scratchFolder(t), 'volume');
  await run('cp', '-a', join(root, place), volume);
  return volume;
}

const START = `
  root=$1 volume=$2 place=$3 user=$4 folder=$5
  shift 5
  mount --bind "$root" "$root"
  mount --bind "$volume" "$root$place"
  mount -o remount,bind,ro "$root"
  mount --rbind /dev "$root/dev"
  mount --rbind /proc "$root/proc"
  mount -t tmpfs tmpfs "$root/tmp"
  exec setpriv --pdeathsig TERM --no-new-privs chroot --userspec="$user" "$root" env -i -C "$folder" "$@"
`;

function startIn(t: ExecutionContext, image: ContainerImage, volume: string, command: string[]) {
  const { Env, User, Volumes, WorkingDir, root } = image;
  const places = [root, volume, ...Object.keys(Volumes), User, WorkingDir];
  const unshare = ['--mount', '--propagation', 'private', 'sh', '-euc', START, 'sh', ...places, ...Env, ...command];
  const child = spawn('unshare', unshare, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  t.teardown(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return { ended, said: () => said, running: () => child.exitCode === null, stop: () => child.kill('SIGTERM') };
}

async function isReady(port: number, { said, running }: ReturnType<typeof startIn>): Promise<void> {
  for (let tries = 0; tries < 600 && running(); tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(200);
  }
  throw new Error(`the server is not ready:\n${said()}`);
}
