import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import * as z from 'zod';
import { freePort } from '../support/free-port.ts';
import { scratchFolder } from '../support/scratch.ts';
import { rounds } from '../support/soak.ts';
import { npmRunAppliance } from './support/appliance.ts';
import { finish } from './support/finish.ts';
import { onMachineWithPackages } from './support/needs.ts';
import { run } from './support/packages.ts';

const descriptor = z.object({ mediaType: z.string(), digest: z.string().startsWith('sha256:'), size: z.number() });
const index = z.object({ schemaVersion: z.literal(2), manifests: z.array(descriptor).length(1) });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor).length(1) });
const config = z.object({
  architecture: z.string(),
  config: z.object({ Entrypoint: z.array(z.string()).min(1), Env: z.array(z.string()), User: z.string() }),
  rootfs: z.object({ diff_ids: z.array(z.string()).length(1) }),
});

onMachineWithPackages('sources that are not there are told before anything is built', async (t) => {
  const args = ['appliance/build.mjs', 'container', '--deb', 'none.deb', '--sources', '/nonexistent/sources'];
  const { status, stderr } = await finish(process.execPath, args);
  t.is(status, 1);
  t.regex(stderr, /^appliance: .*\/nonexistent\/sources/);
});

/** Minutes, most of them a Debian that is built. */
if (rounds(0, 1) > 0) {
  onMachineWithPackages(
    'the container image is what its digests say, and its server sets itself up once, as no root, on a root that it cannot write to',
    async (t) => {
      t.timeout(15 * 60_000, 'an image that is built');
      const layout = await buildContainer(t);
      const { Entrypoint, Env, User, root } = await unpack(t, layout);
      const ports = { port: await freePort(), local: await freePort() };
      const flags = ['--host-name', 'localhost', '--port', `${ports.port}`, '--local-port', `${ports.local}`];
      const start = (...args: string[]) => startIn(t, root, { Env, User, command: [...Entrypoint, ...args] });

      const lost = start();
      t.is(await lost.ended, 2, 'without a name it says what it needs');
      const first = start(...flags);
      await isReady(ports.local, first);
      const ca = await readFile(join(root, 'var/lib/penguindome/pki/ca.crt'), 'utf8');
      first.stop();
      t.is(await first.ended, 0);

      const second = start();
      await isReady(ports.local, second);
      t.is(await readFile(join(root, 'var/lib/penguindome/pki/ca.crt'), 'utf8'), ca);
      second.stop();
      t.is(await second.ended, 0);
    },
  );
}

async function buildContainer(t: ExecutionContext): Promise<string> {
  const said = await npmRunAppliance(t, 'container');
  t.timeout(15 * 60_000, 'a server that hangs');
  t.log(said.trim());
  return said.split('  ')[0] ?? '';
}

/** As a runtime does: each blob is held to its digest, and the layer to that of what it unpacks to. */
async function unpack(t: ExecutionContext, layout: string) {
  const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const blob = async ({ digest, size }: z.output<typeof descriptor>) => {
    const path = join(layout, 'blobs', digest.replace(':', '/'));
    const bytes = await readFile(path);
    t.deepEqual([sha256(bytes), bytes.length], [digest, size]);
    return { path, bytes };
  };
  t.deepEqual(JSON.parse(await readFile(join(layout, 'oci-layout'), 'utf8')), { imageLayoutVersion: '1.0.0' });
  const [listed] = index.parse(JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'))).manifests;
  if (listed === undefined) throw new Error('an index without a manifest');
  const parts = manifest.parse(JSON.parse((await blob(listed)).bytes.toString()));
  const image = config.parse(JSON.parse((await blob(parts.config)).bytes.toString()));
  const [layer] = parts.layers;
  if (layer === undefined) throw new Error('a manifest without a layer');
  const { path } = await blob(layer);
  const root = join(await scratchFolder(t), 'root');
  await run(
    'sh',
    '-euc',
    'mkdir "$1"; gzip -dc "$2" >"$1.tar"; tar -x --numeric-owner -C "$1" -f "$1.tar"',
    'sh',
    root,
    path,
  );
  t.deepEqual(image.rootfs.diff_ids, [sha256(await readFile(`${root}.tar`))]);
  await rm(`${root}.tar`);
  return { ...image.config, root };
}

const START = `
  root=$1 user=$2
  shift 2
  mount --bind "$root" "$root"
  mount --bind "$root/var/lib/penguindome" "$root/var/lib/penguindome"
  mount -o remount,bind,ro "$root"
  mount --rbind /dev "$root/dev"
  mount --rbind /proc "$root/proc"
  mount -t tmpfs tmpfs "$root/tmp"
  exec setpriv --pdeathsig TERM chroot --userspec="$user" "$root" env -i "$@"
`;

function startIn(
  t: ExecutionContext,
  root: string,
  { Env, User, command }: { Env: string[]; User: string; command: string[] },
) {
  const unshare = ['--mount', '--propagation', 'private', 'sh', '-euc', START, 'sh', root, User, ...Env, ...command];
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
