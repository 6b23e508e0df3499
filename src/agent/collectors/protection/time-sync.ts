import { seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf } from '../lenient.ts';
import { serviceRuns } from '../processes.ts';

interface Service {
  name: string;
  /** as in /proc/PID/comm */
  processes: readonly string[];
  synchronised(host: HostAccess): Promise<unknown>;
}

const SERVICES: readonly Service[] = [
  { name: 'chrony', processes: ['chronyd'], synchronised: chrony },
  { name: 'systemd-timesyncd', processes: ['systemd-timesyncd'], synchronised: timesyncd },
  { name: 'ntpd', processes: ['ntpd'], synchronised: ntp },
];

export const timeSync: Fact = {
  name: 'time_sync',
  look: async (host) => {
    for (const { name, processes, synchronised } of SERVICES) {
      const runs = await serviceRuns(host, processes);
      if (runs === undefined) return unknown('/proc hides the processes of others');
      if (runs) return { service: name, synchronised: await synchronised(host) };
    }
    return (await isContainer(host)) ? undefined : { service: 'none', synchronised: false };
  },
};

/** Its clock is the machine's below it, which sets it. systemd writes the first (and starts no systemd-timesyncd there), Docker and Podman the others. */
async function isContainer(host: HostAccess): Promise<boolean> {
  const marks = ['/run/systemd/container', '/.dockerenv', '/run/.containerenv'];
  const found = await Promise.all(marks.map((path) => factsOf(host, path)));
  return found.some((each) => each !== undefined);
}

/** That chronyd runs proves nothing: without a source it says "Not synchronised" for ever. */
async function chrony(host: HostAccess): Promise<unknown> {
  const program = await host.find('chronyc');
  if (program === undefined) return unknown('chronyc is not installed');
  const { code, stdout } = await host.run(program, ['-n', '-c', 'tracking'], { timeout: seconds(10) });
  return (code === 0 ? parseTracking(stdout) : undefined) ?? unknown('chronyd does not answer chronyc');
}

/** Its own clock, which `local` in chrony.conf lets chronyd hand out as if it were right. */
const OWN_CLOCK = '7F7F0101';

/** chronyc(1), with -c: the first of 14 fields is what it goes by, the last the leap status. */
export function parseTracking(csv: string): boolean | undefined {
  const fields = csv.trim().split(',');
  const status = fields.at(-1);
  if (fields.length < 14 || status === undefined || csv.trim().includes('\n')) return undefined;
  if (fields[0] === OWN_CLOCK) return false;
  return /^(Normal|Insert second|Delete second)$/.test(status)
    ? true
    : /^Not synchronised$/.test(status)
      ? false
      : undefined;
}

/** systemd-timesyncd.service(8): touched each time that the clock was set by a server. It lies in /run, and so says nothing of earlier boots. */
async function timesyncd(host: HostAccess): Promise<boolean> {
  return (await factsOf(host, '/run/systemd/timesync/synchronized')) !== undefined;
}

async function ntp(host: HostAccess): Promise<unknown> {
  const ntpq = await host.find('ntpq');
  if (ntpq !== undefined) {
    const { code, stdout } = await host.run(ntpq, ['-n', '-c', 'rv 0 leap,stratum'], { timeout: seconds(10) });
    return (code === 0 ? parseNtpq(stdout) : undefined) ?? unknown('ntpd does not answer ntpq');
  }
  const ntpctl = await host.find('ntpctl');
  if (ntpctl === undefined) return unknown('neither ntpq nor ntpctl is installed');
  const { code, stdout } = await host.run(ntpctl, ['-s', 'status'], { timeout: seconds(10) });
  return (code === 0 ? parseNtpctl(stdout) : undefined) ?? unknown('ntpd does not answer ntpctl');
}

/** RFC 9327: leap 3 (`11`, `leap_alarm`) and stratum 16 say that the clock was never set. */
export function parseNtpq(text: string): boolean | undefined {
  const leap = /\bleap=(\w+)|\b(leap_\w+)/.exec(text);
  const stratum = /\bstratum=(\d+)/.exec(text)?.[1];
  if (leap === null && stratum === undefined) return undefined;
  const word = leap?.[1] ?? leap?.[2];
  return word !== '3' && word !== '11' && word !== 'leap_alarm' && stratum !== '16';
}

/** ntpctl(8) of OpenNTPD. */
export function parseNtpctl(text: string): boolean | undefined {
  if (/clock unsynced/.test(text)) return false;
  return /clock synced/.test(text) ? true : undefined;
}
