import { seconds } from '../../core/duration.ts';
import { type Collector, type HostAccess, UNKNOWN } from '../collector.ts';
import { factsOf, linkAt, namesIn, textOf } from './lenient.ts';
import { type Listener, parseListener, parseSshdConfig } from './parse-sshd.ts';
import { isRootsAlone } from './roots-alone.ts';

export const sshd = {
  name: 'sshd',
  describe: 'whether the ssh server runs, and its effective settings',
  timeout: seconds(30),
  collect: collectSshd,
} satisfies Collector;

/** Units that accept connections without a process of sshd's. */
const SOCKETS = ['ssh.socket', 'sshd.socket'];
/** Processes looked at side by side: each is an open file. */
const AT_ONCE = 64;

/** What runs is the system's own sshd and no other, whoever calls a process so. */
async function collectSshd(host: HostAccess): Promise<unknown> {
  const program = await host.find('sshd');
  const listener = await findListener(host, program);
  if (program === undefined) {
    return listener === undefined ? { status: 'missing', config: {} } : { status: 'running', config: UNKNOWN };
  }
  const [status, config] = await Promise.all([
    listener === undefined ? statusWithoutListener(host) : 'running',
    listener?.isOther ? UNKNOWN : readConfig(host, program, listener),
  ]);
  return { status, config };
}

async function statusWithoutListener(host: HostAccess): Promise<string> {
  if (await socketListens(host)) return 'running';
  // Where processes of others are hidden (hidepid), none found says nothing.
  return (await textOf(host, '/proc/1/comm')) === undefined ? UNKNOWN : 'stopped';
}

interface Running extends Listener {
  /** its program is another sshd than the system's */
  isOther: boolean;
}

async function findListener(host: HostAccess, program: string | undefined): Promise<Running | undefined> {
  const pid = (await textOf(host, '/run/sshd.pid'))?.trim();
  const known = pid !== undefined && /^\d+$/.test(pid) ? await listenerAt(host, pid, program) : undefined;
  if (known !== undefined) return known;
  const pids = ((await namesIn(host, '/proc')) ?? []).filter((name) => /^\d+$/.test(name));
  let other: Running | undefined;
  for (let start = 0; start < pids.length; start += AT_ONCE) {
    const some = pids.slice(start, start + AT_ONCE);
    const found = await Promise.all(some.map((each) => listenerAt(host, each, program)));
    const listener = found.find((each) => each?.isOther === false);
    if (listener !== undefined) return listener;
    other ??= found.find((each) => each !== undefined);
  }
  return other;
}

/**
 * Root's only, and only where the kernel says that it runs a program called sshd: its name and its arguments are whatever it was given, and
 * a user's setuid program is root's for a moment. Looked at before and after its arguments are read: it may become another program meanwhile.
 */
async function listenerAt(host: HostAccess, pid: string, program: string | undefined): Promise<Running | undefined> {
  if ((await textOf(host, `/proc/${pid}/comm`)) !== 'sshd\n') return undefined;
  const before = await kindOf(host, pid, program);
  if (before === undefined) return undefined;
  const listener = parseListener((await textOf(host, `/proc/${pid}/cmdline`)) ?? '');
  if (listener === undefined || (await kindOf(host, pid, program)) !== before) return undefined;
  return { ...listener, isOther: before === 'other' };
}

async function kindOf(
  host: HostAccess,
  pid: string,
  program: string | undefined,
): Promise<'own' | 'other' | undefined> {
  const status = (await textOf(host, `/proc/${pid}/status`)) ?? '';
  // A second number after NSpid means that it runs in a container on this machine.
  if (!/^Uid:\t0\t0\t0\t0$/m.test(status) || /^NSpid:\t\d+\t/m.test(status)) return undefined;
  const [link, itself] = [await linkAt(host, `/proc/${pid}/exe`), await factsOf(host, `/proc/${pid}/exe`)];
  // Only root sees what root's processes run. Without root nothing is given away by what is run then.
  if (link === undefined) return host.isRoot ? undefined : 'own';
  const ours = program === undefined ? undefined : await factsOf(host, program);
  if (itself !== undefined && itself.id === ours?.id) return 'own';
  // One that was replaced since, by an update: the new one reads the same settings.
  if (program !== undefined && link === `${await realPath(host, program)} (deleted)`) return 'own';
  return /\/sshd(?: \(deleted\))?$/.test(link) ? 'other' : undefined;
}

/** Where /usr/sbin is a link (Arch) the kernel knows the program by its other name. */
async function realPath(host: HostAccess, program: string): Promise<string> {
  const at = program.lastIndexOf('/');
  const folder = await linkAt(host, program.slice(0, at));
  if (folder === undefined) return program;
  const parent = folder.startsWith('/') ? '' : program.slice(0, program.lastIndexOf('/', at - 1) + 1);
  return `${parent}${folder}${program.slice(at)}`;
}

async function socketListens(host: HostAccess): Promise<boolean> {
  const systemctl = (await factsOf(host, '/run/systemd/system')) && (await host.find('systemctl'));
  if (systemctl === undefined) return false;
  const { stdout } = await host.run(systemctl, ['is-active', ...SOCKETS], { timeout: seconds(10) });
  return stdout.split('\n').includes('active');
}

/**
 * `-T` reads the host keys, and so is root's; `-G` (OpenSSH 9.3 and later) needs no more than the files of settings. Options that would have
 * root open what somebody else may have chosen are not passed on, and without them the answer would not be that of the one that runs.
 */
async function readConfig(host: HostAccess, program: string, listener: Listener | undefined): Promise<unknown> {
  const { options = [], files = [], isClear = true } = listener ?? {};
  if (!isClear) return UNKNOWN;
  for (const file of files) if (!(await isRootsAlone(host, file))) return UNKNOWN;
  for (const mode of ['-T', '-G']) {
    const { code, stdout } = await host.run(program, [mode, ...options], { timeout: seconds(10) });
    if (code === 0) return parseSshdConfig(stdout);
  }
  return UNKNOWN;
}
