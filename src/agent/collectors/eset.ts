import { days, seconds } from '../../core/duration.ts';
import { type Collector, type HostAccess, UNKNOWN } from '../collector.ts';
import { factsOf, namesIn } from './lenient.ts';
import { programRuns, serviceRuns } from './processes.ts';

export const eset = {
  name: 'eset',
  describe: "whether ESET's antivirus is there, runs, and knows what is new",
  timeout: seconds(30),
  collect: async (host) => {
    const { installed, running, recent } = await esetState(host);
    return { installed, running: running ?? UNKNOWN, recent: recent ?? UNKNOWN };
  },
} satisfies Collector;

const FRESH = days(2);
/** NOD32 for Linux 4, which the original knew: program, and the file that an update rewrites. */
const OLD = { program: '/opt/eset/esets/sbin/esets_daemon', definitions: '/var/opt/eset/esets/lib/data/data.txt' };
/** Endpoint Antivirus and Server Security since version 7: a folder of modules each, and daemons of these names. */
const NEW = ['eea', 'efs'] as const;
const DAEMONS = ['startd', 'scand', 'oaeventd', 'updated', 'execd'];

/** `undefined`: cannot be told. What is not installed does not run, and is not recent. */
export async function esetState(
  host: HostAccess,
): Promise<{ installed: boolean; running?: boolean; recent?: boolean }> {
  if ((await factsOf(host, OLD.program)) !== undefined) {
    const running = await programRuns(host, OLD.program);
    const recent = isFresh(host, (await factsOf(host, OLD.definitions))?.modified);
    return { installed: true, ...(running === undefined ? {} : { running }), recent };
  }
  for (const product of NEW) {
    if ((await factsOf(host, `/opt/eset/${product}`)) === undefined) continue;
    const running = await serviceRuns(host, DAEMONS);
    const newest = await newestModule(host, `/var/opt/eset/${product}/lib`);
    return {
      installed: true,
      ...(running === undefined ? {} : { running }),
      ...(newest === undefined ? {} : { recent: isFresh(host, newest) }),
    };
  }
  return { installed: false, running: false, recent: false };
}

function isFresh(host: HostAccess, at: Date | undefined): boolean {
  return at !== undefined && host.now().getTime() - at.getTime() < FRESH;
}

/** Modules are `em000_64.dat` and so on; an update writes those anew that changed. */
async function newestModule(host: HostAccess, folder: string): Promise<Date | undefined> {
  const names = ((await namesIn(host, folder)) ?? []).filter((name) => /^em\d+\w*\.dat$/.test(name));
  const facts = await Promise.all(names.map((name) => factsOf(host, `${folder}/${name}`)));
  const times = facts.flatMap((each) => (each === undefined ? [] : [each.modified.getTime()]));
  return times.length === 0 ? undefined : new Date(Math.max(...times));
}
