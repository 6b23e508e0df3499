import { copyFile, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';
import { finish } from './finish.ts';
import { type AgentSpeaker, askAgent } from './vm/ask-agent.ts';
import { BOOTED, image, PASSPHRASE, timed } from './vm/image.ts';
import { DISKS, startQemu } from './vm/qemu.ts';
import { connectSsh, type Ssh } from './vm/ssh.ts';

const OPT = '/opt/penguindome';
/** The built agent, in the machine. */
export const AGENT = `${OPT}/penguindome-agent`;
const SHOWN = ['build/penguindome-agent', 'build/penguindome-agent.bundle.js', 'test/fixtures/machine/ask-agent.mjs'];

/** A whole machine, with a kernel of its own: device-mapper, disks and swap are real in it. */
export interface VirtualMachine {
  /** Runs a bash script as root. @returns what it printed @throws where a command of it fails, or the time is over */
  run(script: string, seconds?: number): Promise<string>;
  /** Runs the built agent's commands in a Node that stays, which this starts as that user. */
  askAgent(user: string): Promise<AgentSpeaker>;
  /** Waits until it has switched itself off. @returns false where it has not after that time */
  off(seconds: number): Promise<boolean>;
  /** What is on the beginning of one of its disks, as another machine finds it that runs cryptsetup with these arguments on it. @returns its exit status */
  cryptsetup(disk: (typeof DISKS)[number], ...args: string[]): Promise<number>;
  stop(): Promise<void>;
}

/** Starts one from the image's snapshot, on disks that are thrown away. @param tell hears how long each step took */
export async function startVirtualMachine(tell: (line: string) => void): Promise<VirtualMachine> {
  const from = await image(tell);
  const folder = await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'vm-'));
  for (const name of DISKS) await copyFile(join(from, `${name}.qcow2`), join(folder, `${name}.qcow2`));
  for (const name of ['kernel', 'initrd', 'key']) await symlink(join(from, name), join(folder, name));
  const port = await freePort();
  const qemu = startQemu({ folder, port, snapshot: BOOTED });
  let ssh: Ssh | undefined;
  const stop = async () => {
    ssh?.close();
    await qemu.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const connected = await timed('start from the snapshot', tell, () =>
      connectSsh({ folder, port, seconds: 120, alive: () => qemu.running }),
    );
    ssh = connected;
    await bringAgent(connected);
    return {
      run: (script, seconds = 120) => run(connected, script, seconds),
      askAgent: (user) => askAgent(connected, user),
      off: (seconds) => until(() => !qemu.running, seconds),
      cryptsetup: (disk, ...args) => askCryptsetup(folder, disk, args),
      stop,
    };
  } catch (cause) {
    const said = await readFile(join(folder, 'qemu.log'), 'utf8').catch(() => '');
    await stop();
    throw new Error(`cannot start a virtual machine\n${said}`, { cause });
  }
}

async function until(holds: () => boolean, seconds: number): Promise<boolean> {
  for (let tries = 0; tries < seconds * 5 && !holds(); tries++) await sleep(200);
  return holds();
}

/** More than any header here takes. */
const HEADER_MEBIBYTES = 24;

async function askCryptsetup(folder: string, disk: string, args: string[]): Promise<number> {
  const copy = join(folder, `${disk}.head`);
  const dd = ['dd', '-U', '-f', 'qcow2', '-O', 'raw', 'bs=1M', `count=${HEADER_MEBIBYTES}`];
  const copied = await finish('qemu-img', [...dd, `if=${join(folder, disk)}.qcow2`, `of=${copy}`]);
  if (copied.status !== 0) throw new Error(`cannot look at the disk ${disk}: ${copied.stderr}`);
  const { status } = await finish('cryptsetup', ['--batch-mode', ...args, copy], { input: PASSPHRASE });
  return status;
}

async function run(ssh: Ssh, script: string, seconds: number): Promise<string> {
  const { status, stdout, stderr } = await ssh.run(script, seconds);
  if (status !== 0) throw new Error(`exit status ${status} of:\n${script}\n${stdout}${stderr}`);
  return stdout;
}

async function bringAgent(ssh: Ssh): Promise<void> {
  // All of it is ASCII, so that it can travel as text.
  const { stdout: archive } = await finish('tar', ['-c', '--transform', 's|.*/||', ...SHOWN]);
  // The snapshot's clock stood still.
  const now = Math.floor(Date.now() / 1000);
  const unpack = `date -s @${now} >/dev/null && mkdir -p ${OPT} && tar -x --no-same-owner -C ${OPT}`;
  const { status, stderr } = await ssh.feed(unpack, archive, 60);
  if (status !== 0) throw new Error(`cannot bring the agent: ${stderr}`);
}

/**
 * Moves the running system onto the sealed disk, which holds the same files: what an initrd does with an encrypted root, later.
 * The disk that it was started from is unmounted.
 */
export async function moveOntoSealedRoot(machine: VirtualMachine): Promise<void> {
  await machine.run(`
    printf ${PASSPHRASE} | cryptsetup open --key-file - /dev/disk/by-id/virtio-sealed system
    mkdir -p /next
    mount /dev/mapper/system /next
    mount -n --make-rprivate /
    for mount in dev proc sys run tmp; do
      if mountpoint -q /$mount; then mount -n --move /$mount /next/$mount; fi
    done
    mkdir -p /next/mnt/former /next${OPT}
    cp ${OPT}/* /next${OPT}
    cd /next
    pivot_root . mnt/former
    umount -l /mnt/former
  `);
}
