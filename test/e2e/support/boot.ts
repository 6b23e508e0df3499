import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { finish } from './finish.ts';

interface Booted {
  /** the machine's process 1, as this machine numbers it; another one after a reboot */
  readonly leader: number;
  /** Has it reboot by itself, and waits until it is up again. Its network namespace is a new one then. */
  reboot(): Promise<void>;
  /** clean, and by force where it hangs */
  halt(): Promise<void>;
}

/**
 * systemd-nspawn wants a host with systemd: cgroup v2, and a /run to itself. Both are made in a private mount namespace, so that it works in
 * a bare container too. Each machine has a cgroup of its own, or two would break each other.
 * Without CAP_IPC_LOCK nspawn forbids mlock(2) to everybody, which a mongod with TLS needs and any real machine permits.
 * A machine that keeps its state has its overlay here and not from nspawn, which ends with each reboot (133) and takes its own along.
 */
const HOLD = `
  set -eu
  name=$1 tree=$2 keeps=$3; shift 3
  umount -R -l /sys/fs/cgroup 2>/dev/null || true
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs /run
  home=/sys/fs/cgroup/$name
  mkdir "$home"
  echo $$ >"$home/cgroup.procs"
  if [ "$keeps" = yes ]; then
    mkdir -p /run/kept/upper /run/kept/work /run/kept/tree
    mount -t overlay -o "lowerdir=$tree,upperdir=/run/kept/upper,workdir=/run/kept/work" overlay /run/kept/tree
    tree=/run/kept/tree
  else
    set -- --volatile=overlay "$@"
  fi
  stopping=no status=133
  while [ "$status" = 133 ] && [ $stopping = no ]; do
    systemd-nspawn --quiet --boot --directory="$tree" --machine="$name" --hostname="$name" --register=no --keep-unit \\
      --console=pipe --private-network --capability=CAP_IPC_LOCK "$@" &
    pid=$!
    trap 'stopping=yes; kill -TERM $pid || true' TERM
    while [ -d /proc/$pid ]; do status=0; wait $pid || status=$?; done
    [ "$keeps" = yes ] || break
  done
  echo $$ >/sys/fs/cgroup/cgroup.procs
  find "$home" -depth -type d -exec rmdir {} +
`;

/** What it takes that services' own network filters (IPAddressDeny=) are real: nspawn forbids bpf(2) otherwise. */
const WITH_FILTERS = { args: ['--capability=all', '--drop-capability=CAP_SYS_MODULE'], env: { SYSTEMD_SECCOMP: '0' } };

/** Boots a throw-away overlay of the tree, with these folders shown inside, and waits until it is up. */
export async function boot(
  tree: string,
  binds: Record<string, string>,
  { filters = false, keeps = false }: { filters?: boolean; keeps?: boolean } = {},
): Promise<Booted> {
  const more = filters ? WITH_FILTERS : { args: [], env: {} };
  const name = `pd-${randomBytes(4).toString('hex')}`;
  const console = join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), `${name}.log`);
  const log = openSync(console, 'a');
  // pdeathsig: a test process that is killed takes its machines along (to nspawn, SIGTERM is a clean halt).
  const holder = spawn(
    'setpriv',
    [
      ...'--pdeathsig TERM unshare --mount --propagation private bash -c'.split(' '),
      HOLD,
      'hold',
      name,
      tree,
      keeps ? 'yes' : 'no',
      ...Object.entries(binds).map(([from, to]) => `--bind-ro=${from}:${to}`),
      ...more.args,
    ],
    { stdio: ['ignore', log, log], detached: true, env: { ...process.env, ...more.env, SYSTEMD_NSPAWN_LOCK: '0' } },
  );
  closeSync(log);
  const ended = new Promise<'ended'>((resolve) => holder.on('close', () => resolve('ended')));
  const halt = async () => {
    holder.kill('SIGTERM');
    if ((await Promise.race([ended, sleep(20_000, 'hangs', { ref: false })])) === 'ended') return;
    const leader = await leaderBelow(holder.pid);
    if (leader !== undefined) process.kill(leader, 'SIGKILL');
    await ended;
  };
  const up = (before?: number) => isUp(holder.pid, () => holder.exitCode !== null, before);
  try {
    let leader = await up();
    return {
      get leader() {
        return leader;
      },
      async reboot() {
        if (!keeps) throw new Error('cannot reboot a machine that forgets all: boot it with `keeps`');
        await finish('nsenter', [...`-t ${leader} -a -- systemctl --no-block reboot`.split(' ')]);
        leader = await up(leader);
      },
      halt,
    };
  } catch (cause) {
    await halt();
    throw new Error(`cannot boot a machine:\n${await readFile(console, 'utf8')}`, { cause });
  }
}

/** @param before the process 1 of the boot before this one */
async function isUp(holder: number | undefined, ended: () => boolean, before?: number): Promise<number> {
  for (let tries = 0; tries < 600 && !ended(); tries++) {
    const leader = await leaderBelow(holder);
    if (leader !== undefined && leader !== before) {
      const { stdout } = await finish('nsenter', [
        '-t',
        `${leader}`,
        '-a',
        '--',
        'systemctl',
        'is-system-running',
        '--wait',
      ]);
      if (['running', 'degraded'].includes(stdout.trim())) return leader;
    }
    await sleep(50);
  }
  throw new Error('it ended, or is not up after half a minute');
}

/** nspawn's child that has become systemd; its first child is a short-lived helper. */
async function leaderBelow(holder: number | undefined): Promise<number | undefined> {
  for (const nspawn of await childrenOf(holder)) {
    for (const pid of await childrenOf(nspawn)) {
      if ((await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')) === 'systemd\n') return pid;
    }
  }
  return undefined;
}

async function childrenOf(pid: number | undefined): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return children.split(' ').filter(Boolean).map(Number);
}
