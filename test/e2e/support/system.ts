import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratchFolder } from '../../support/scratch.ts';
import { finish } from './finish.ts';
import { type Machine, until } from './machine.ts';
import { rootfs } from './rootfs.ts';

/** The tree, and all that is written to it thrown away with the namespace; says `up` from within. */
const HOLD = `
  set -eu
  work=$1 tree=$2 from=$3 to=$4
  mount -t tmpfs -o mode=755 tmpfs "$work"
  mkdir "$work/upper" "$work/work" "$work/root"
  root=$work/root
  mount -t overlay overlay -o "lowerdir=$tree,upperdir=$work/upper,workdir=$work/work" "$root"
  mkdir -p "$root$to"
  mount --bind "$from" "$root$to"
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/run"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  ip link set lo up
  printf '#!/bin/sh\\nexit 101\\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  exec chroot "$root" /bin/sh -c 'echo up; exec sleep infinity'
`;

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * A Debian that no systemd was booted in: packages install there, with their users and folders, on a network and with processes of its own;
 * services are started by hand. For what needs no unit, and quicker than a machine.
 * @param shown read-only inside: path here, path there
 */
export async function startSystem(t: ExecutionContext, [from, to]: [from: string, to: string]): Promise<Machine> {
  t.timeout(600_000, 'a root file system that is not built');
  const tree = await rootfs('trixie');
  t.timeout(300_000, 'a system that hangs');
  const work = await mkdtemp(join(await scratchFolder(t), 'system-'));
  const isolate = ['--net', '--uts', '--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const child = spawn('unshare', [...isolate, 'sh', '-c', HOLD, 'sh', work, tree, from, to], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const { stdout } = await finish('pgrep', ['-P', String(child.pid)]);
  const leader = Number(stdout);
  const attempt: Machine['attempt'] = (command, options) =>
    finish(
      'nsenter',
      [...`-t ${leader} -a -r -w -- /usr/bin/env -i HOME=/root ${PATH}`.split(' '), ...command],
      options,
    );
  const run: Machine['run'] = async (command, options) => {
    const { status, stdout, stderr } = await attempt(['sh', '-c', 'cd /root && exec "$@"', 'sh', ...command], options);
    if (status !== 0) throw new Error(`${command.join(' ')}: exit status ${status}\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    leader,
    attempt,
    run,
    async write(path, content, mode = '644') {
      await run(['sh', '-c', 'install -D -m "$1" /dev/null "$2" && cat >"$2"', 'sh', mode, path], { input: content });
    },
    until,
  };
}
