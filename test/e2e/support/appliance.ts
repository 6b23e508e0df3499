import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { freePort } from '../../support/free-port.ts';
import { finish } from './finish.ts';
import { buildPackages, run } from './packages.ts';
import { sourcesFor } from './rootfs.ts';
import { timed } from './vm/image.ts';
import { OVMF } from './vm/ovmf.ts';
import { EMULATED, type Qemu, runQemu } from './vm/qemu.ts';
import { connectSsh, type Ssh } from './vm/ssh.ts';

/** Under emulation, while others use the machine too. */
const START_SECONDS = 420;
/** More than the image has: the data partition is to grow into it. */
const DISK = '5G';

let built: Promise<string> | undefined;

/**
 * `npm run appliance -- image`, once for all tests of a file; PENGUINDOME_TEST_APPLIANCE names one that is built already.
 * @returns the raw image
 */
function buildImage(t: ExecutionContext): Promise<string> {
  const given = process.env['PENGUINDOME_TEST_APPLIANCE'];
  built ??= given === undefined ? build(t) : Promise.resolve(given);
  return built;
}

async function build(t: ExecutionContext): Promise<string> {
  const said = await timed(
    'the image',
    (line) => t.log(line),
    async () => npmRunAppliance(t, await mkdtemp(join(scratch(), 'appliance-')), 'image', '--only-raw'),
  );
  t.log(said.trim());
  return said.split('  ')[0] ?? '';
}

const scratch = () => process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir();

/** From our package and the mirrors of this machine's apt, into that folder. @returns what it printed */
export async function npmRunAppliance(t: ExecutionContext, folder: string, ...args: string[]): Promise<string> {
  const packages = join((await buildPackages(t, 'deb')).built, 'deb');
  t.timeout(15 * 60_000, 'building an image');
  const deb = (await readdir(packages)).find((name) => /^penguindome-server_.*\.deb$/.test(name)) ?? '';
  await writeFile(join(folder, 'sources'), await sourcesFor('trixie'));
  const options = ['--sources', join(folder, 'sources'), '--deb', join(packages, deb), '--output', folder];
  return run('env', 'SOURCE_DATE_EPOCH=1700000000', 'node', 'appliance/build.mjs', ...args, ...options);
}

export interface ApplianceOptions {
  /** what the disk PENGUINDOME, or (`nocloud`) the disk cidata, brings: file → content */
  files?: Record<string, string>;
  label?: 'PENGUINDOME' | 'cidata';
  /** further disks: serial → raw file */
  disks?: Record<string, string>;
  firmware?: 'bios' | 'uefi';
  /** qemu's -serial; into a file where none is given */
  serial?: string;
}

/** An appliance on a disk of its own, which outlives its power. */
export interface Appliance {
  /** by which agents outside reach it */
  port: number;
  /** of the account admin, as authorized_keys has it */
  key: string;
  folder: string;
  /** what its disk was copied from */
  image: string;
  /** Switches it on, and logs in as soon as that can be done. */
  start(more?: ApplianceOptions): Promise<void>;
  /** Switches it on, and waits for nothing. */
  powerOn(more?: ApplianceOptions): Qemu;
  /** Runs a bash script as root. @throws where a command of it fails */
  run(script: string, seconds?: number): Promise<string>;
  cutPower(): Promise<void>;
  /** Has it restart by itself: off until it is started. */
  restart(): Promise<void>;
  /** what its serial line has shown */
  console(): Promise<string>;
}

/** On a copy of the image that is thrown away, larger than the image is. */
export async function makeAppliance(t: ExecutionContext): Promise<Appliance> {
  const image = await buildImage(t);
  t.timeout(30 * 60_000, 'a machine that hangs');
  const folder = await mkdtemp(join(scratch(), 'machine-'));
  await run('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', image, join(folder, 'disk.qcow2'), DISK);
  await run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'ada', '-f', join(folder, 'key'));
  const ports = { port: await freePort(), ssh: await freePort() };
  let qemu: Qemu | undefined;
  let ssh: Ssh | undefined;
  t.teardown(async () => {
    if (!t.passed) t.log((await readFile(join(folder, 'console.log'), 'utf8').catch(() => '')).slice(-4000));
    ssh?.close();
    await qemu?.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const appliance: Appliance = {
    port: ports.port,
    key: (await readFile(join(folder, 'key.pub'), 'utf8')).trim(),
    folder,
    image,
    powerOn(more = {}) {
      qemu = runQemu(folder, argumentsFor(folder, ports, more));
      return qemu;
    },
    async start(more = {}) {
      if (more.files !== undefined) await makeConfigDisk(folder, more.label ?? 'PENGUINDOME', more.files);
      const on = appliance.powerOn(more);
      const way = { folder, port: ports.ssh, user: 'admin', seconds: START_SECONDS, alive: () => on.running };
      ssh = await timed(
        'start, until ssh answers',
        (line) => t.log(line),
        () => connectSsh(way),
      );
    },
    async run(script, seconds = 180) {
      const ran = await ssh?.run(script, seconds);
      if (ran?.status !== 0) throw new Error(`exit status ${ran?.status} of:\n${script}\n${ran?.stdout}${ran?.stderr}`);
      return ran.stdout;
    },
    async cutPower() {
      await qemu?.cutPower();
      ssh?.close();
    },
    async restart() {
      await ssh?.run('systemctl reboot', 60);
      ssh?.close();
      for (let tries = 0; tries < 600 && qemu?.running; tries++) await sleep(200);
      if (qemu?.running) throw new Error('it does not restart');
    },
    console: () => readFile(join(folder, 'console.log'), 'latin1'),
  };
  return appliance;
}

/** FAT, as a stick has it. */
async function makeConfigDisk(folder: string, label: string, files: Record<string, string>): Promise<void> {
  const disk = join(folder, 'config.img');
  await rm(disk, { force: true });
  await run('mkfs.vfat', '-C', '-n', label, disk, '4096');
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content);
    const { status, stderr } = await finish('mcopy', ['-i', disk, join(folder, name), '::']);
    if (status !== 0) throw new Error(`cannot put ${name} on a disk: ${stderr}`);
  }
}

function argumentsFor(
  folder: string,
  { port, ssh }: { port: number; ssh: number },
  options: ApplianceOptions,
): string[] {
  const { files, disks = {}, firmware = 'bios', serial = `file:${join(folder, 'console.log')}` } = options;
  const all = { ...(files === undefined ? {} : { config: join(folder, 'config.img') }), ...disks };
  return [
    ...EMULATED,
    ...(firmware === 'uefi' ? ['-bios', OVMF] : []),
    // Its own disk is what it starts from: no kernel is given to it.
    ...[
      '-drive',
      `file=${join(folder, 'disk.qcow2')},if=none,id=own`,
      '-device',
      'virtio-blk-pci,drive=own,bootindex=1',
    ],
    ...Object.entries(all).flatMap(([name, file]) => [
      ...['-drive', `file=${file},if=none,id=${name},format=raw,readonly=on`],
      ...['-device', `virtio-blk-pci,drive=${name},serial=${name}`],
    ]),
    ...['-vga', 'std', '-serial', serial],
    ...['-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${ssh}-:22,hostfwd=tcp:127.0.0.1:${port}-:8443`],
    ...'-device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci'.split(' '),
  ];
}
