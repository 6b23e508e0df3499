import { days, seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { esetState } from '../eset.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf } from '../lenient.ts';
import { serviceRuns } from '../processes.ts';
import { parseClamHeader, parseMdatp } from './parse-antivirus.ts';

const HIDDEN = '/proc hides the processes of others';
/** ClamAV's daily database comes daily; one that is missed now and then is no news. */
const CLAM_FRESH = days(3);

interface State {
  running: unknown;
  /** what it looks for is up to date; absent where its maker keeps that in the cloud */
  recent?: unknown;
}

interface Product {
  name: string;
  /** @returns undefined where it is not installed */
  state(host: HostAccess): Promise<State | undefined>;
}

const PRODUCTS: readonly Product[] = [
  {
    name: 'carbon_black',
    state: (host) =>
      cloudSensor(host, ['/opt/carbonblack', '/opt/cbsensor', '/usr/sbin/cbdaemon'], ['cbdaemon', 'cbagentd']),
  },
  { name: 'clamav', state: clamav },
  { name: 'crowdstrike', state: crowdstrike },
  { name: 'defender', state: defender },
  { name: 'eset', state: eset },
  { name: 'sentinelone', state: (host) => cloudSensor(host, ['/opt/sentinelone/bin/sentinelctl'], ['s1-agent']) },
];

/** Those that are installed: an empty list means that none is. */
export const antivirus: Fact = {
  name: 'antivirus',
  look: async (host) => {
    const states = await Promise.all(PRODUCTS.map(async ({ name, state }) => ({ name, state: await state(host) })));
    return states.flatMap(({ name, state }) => (state === undefined ? [] : [{ name, ...state }]));
  },
};

async function cloudSensor(
  host: HostAccess,
  paths: readonly string[],
  names: readonly string[],
): Promise<State | undefined> {
  const found = await Promise.all(paths.map((path) => factsOf(host, path)));
  if (found.every((facts) => facts === undefined)) return undefined;
  return { running: (await serviceRuns(host, names)) ?? unknown(HIDDEN) };
}

/** clamscan alone looks only when somebody asks. */
async function clamav(host: HostAccess): Promise<State | undefined> {
  const [daemon, scanner] = await Promise.all([host.find('clamd'), host.find('clamscan')]);
  if (daemon === undefined && scanner === undefined) return undefined;
  const [running, built] = await Promise.all([serviceRuns(host, ['clamd']), clamBuilt(host)]);
  const age = built === undefined ? undefined : host.now().getTime() - built.getTime();
  return {
    running: running ?? unknown(HIDDEN),
    recent: age === undefined ? unknown('/var/lib/clamav shows no daily database') : age < CLAM_FRESH,
  };
}

async function clamBuilt(host: HostAccess): Promise<Date | undefined> {
  for (const name of ['daily.cld', 'daily.cvd']) {
    const head = await host.readText(`/var/lib/clamav/${name}`, { max: 512, head: true }).catch(() => undefined);
    const built = parseClamHeader(head ?? '');
    if (built !== undefined) return built;
  }
  return undefined;
}

/** Without the right kernel module the sensor runs, and does next to nothing ("reduced functionality mode"). */
async function crowdstrike(host: HostAccess): Promise<State | undefined> {
  const program = '/opt/CrowdStrike/falconctl';
  if ((await factsOf(host, program)) === undefined) return undefined;
  const running = await serviceRuns(host, ['falcon-sensor', 'falcon-sensor-bpf']);
  if (!running) return { running: running ?? unknown(HIDDEN) };
  const { code, stdout } = await host.run(program, ['-g', '--rfm-state'], { timeout: seconds(10) });
  const reduced = /rfm-state=(true|false)/.exec(stdout)?.[1];
  if (code !== 0 || reduced === undefined) return { running: unknown('falconctl does not tell its mode') };
  return { running: reduced === 'false' };
}

async function defender(host: HostAccess): Promise<State | undefined> {
  const program = await host.find('mdatp');
  if (program === undefined) return undefined;
  const { code, stdout } = await host.run(program, ['health', '--output', 'json'], { timeout: seconds(15) });
  // It is a client of the daemon, and fails where that does not run.
  if (code !== 0)
    return { running: (await serviceRuns(host, ['wdavdaemon'])) ? unknown('mdatp does not answer') : false };
  const health = parseMdatp(stdout);
  const why = 'cannot make out what mdatp says';
  return { running: health.protects ?? unknown(why), recent: health.current ?? unknown(why) };
}

async function eset(host: HostAccess): Promise<State | undefined> {
  const { installed, running, recent } = await esetState(host);
  return installed
    ? { running: running ?? unknown(HIDDEN), recent: recent ?? unknown('it shows no definitions') }
    : undefined;
}
