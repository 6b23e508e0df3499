import { seconds } from '../../core/duration.ts';
import { type Collector, type HostAccess, UNKNOWN } from '../collector.ts';
import { factsOf, namesIn, textOf } from './lenient.ts';
import { type Listener, parseListener, parseSshdConfig } from './parse-sshd.ts';

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

async function collectSshd(host: HostAccess): Promise<unknown> {
  const listener = await findListener(host);
  const program = await programOf(host, listener);
  if (program === undefined) {
    return listener === undefined ? { status: 'missing', config: {} } : { status: 'running', config: UNKNOWN };
  }
  const [status, config] = await Promise.all([
    listener === undefined ? statusWithoutListener(host) : 'running',
    readConfig(host, program, listener?.options ?? []),
  ]);
  return { status, config };
}

/** The one that runs, unless it was removed or replaced since. */
async function programOf(host: HostAccess, listener: Listener | undefined): Promise<string | undefined> {
  if (listener !== undefined && (await factsOf(host, listener.program))?.kind === 'file') return listener.program;
  return host.find('sshd');
}

async function statusWithoutListener(host: HostAccess): Promise<string> {
  if (await socketListens(host)) return 'running';
  // Where processes of others are hidden (hidepid), none found says nothing.
  return (await textOf(host, '/proc/1/comm')) === undefined ? UNKNOWN : 'stopped';
}

async function findListener(host: HostAccess): Promise<Listener | undefined> {
  const pid = (await textOf(host, '/run/sshd.pid'))?.trim();
  const known = pid !== undefined && /^\d+$/.test(pid) ? await listenerAt(host, pid) : undefined;
  if (known !== undefined) return known;
  const pids = ((await namesIn(host, '/proc')) ?? []).filter((name) => /^\d+$/.test(name));
  for (let start = 0; start < pids.length; start += AT_ONCE) {
    const found = await Promise.all(pids.slice(start, start + AT_ONCE).map((each) => listenerAt(host, each)));
    const listener = found.find((each) => each !== undefined);
    if (listener !== undefined) return listener;
  }
  return undefined;
}

/** Root's only: anybody can call a process sshd, and what it says about itself is run. */
async function listenerAt(host: HostAccess, pid: string): Promise<Listener | undefined> {
  if ((await textOf(host, `/proc/${pid}/comm`)) !== 'sshd\n') return undefined;
  const status = (await textOf(host, `/proc/${pid}/status`)) ?? '';
  // A second number after NSpid means that it runs in a container on this machine.
  if (!/^Uid:\t0\t0\t/m.test(status) || /^NSpid:\t\d+\t/m.test(status)) return undefined;
  return parseListener((await textOf(host, `/proc/${pid}/cmdline`)) ?? '');
}

async function socketListens(host: HostAccess): Promise<boolean> {
  const systemctl = (await factsOf(host, '/run/systemd/system')) && (await host.find('systemctl'));
  if (systemctl === undefined) return false;
  const { stdout } = await host.run(systemctl, ['is-active', ...SOCKETS], { timeout: seconds(10) });
  return stdout.split('\n').includes('active');
}

/** `-T` reads the host keys, and so is root's; `-G` (OpenSSH 9.3 and later) needs no more than the files of settings. */
async function readConfig(host: HostAccess, program: string, options: readonly string[]): Promise<unknown> {
  for (const mode of ['-T', '-G']) {
    const { code, stdout } = await host.run(program, [mode, ...options], { timeout: seconds(10) });
    if (code === 0) return parseSshdConfig(stdout);
  }
  return UNKNOWN;
}
