import * as v from 'valibot';
import { hours, minutes } from '../../core/duration.ts';
import { type CollectorTools, type HostAccess, UNKNOWN } from '../collector.ts';
import { factsOf, namesIn } from './lenient.ts';
import { type AptUpgrade, hasHiddenSecurity, parseUpgrades } from './parse-apt.ts';

/** What apt would install if it were asked to now. */
export interface Waiting {
  patches: boolean;
  security: boolean | typeof UNKNOWN;
}

/** Works as any user, does not wait for a running apt, and shows what is held back too. (-qq would mean -y, and refuse that.) */
const SIMULATE = ['-o', 'Debug::NoLocking=1', '--ignore-hold', '-q', '-s', 'dist-upgrade'];
const MEBIBYTE = 1024 * 1024;

/**
 * All that apt's answer comes from (apt.conf(5), apt_preferences(5), sources.list(5), dpkg(1)); of a folder, each file in it.
 * A machine whose settings point apt elsewhere is asked anew twice a day.
 */
const FILES = [
  '/etc/apt/apt.conf',
  '/etc/apt/preferences',
  '/etc/apt/sources.list',
  '/etc/machine-id',
  '/usr/bin/apt-get',
  '/var/lib/apt/extended_states',
  '/var/lib/dpkg/arch',
  '/var/lib/dpkg/status',
];
const FOLDERS = ['/etc/apt/apt.conf.d', '/etc/apt/preferences.d', '/etc/apt/sources.list.d', '/var/lib/apt/lists'];

const KEPT = 'apt-waiting';
const LONGEST = hours(12);
const kept = v.object({
  of: v.string(),
  patches: v.boolean(),
  security: v.union([v.boolean(), v.literal(UNKNOWN)]),
});

/**
 * Simulating an upgrade is by far the most that a look at a machine costs: its answer is kept for as long as nothing that it comes from has changed.
 * @returns undefined where apt cannot be asked, or fails
 */
export async function aptWaiting(host: HostAccess, tools: CollectorTools): Promise<Waiting | undefined> {
  // Before apt looks: what changes meanwhile is seen as a change the next time.
  const of = await state(host);
  const before = await tools.recall(KEPT);
  const age = before === undefined ? LONGEST : host.now().getTime() - before.at.getTime();
  if (before !== undefined && age >= 0 && age < LONGEST) {
    const read = v.safeParse(kept, before.value);
    if (read.success && read.output.of === of) return { patches: read.output.patches, security: read.output.security };
  }
  const upgrades = await simulate(host);
  if (upgrades === undefined) return undefined;
  const waiting = { patches: upgrades.length > 0, security: await isSecurityOut(host, upgrades) };
  if (waiting.security !== UNKNOWN) await tools.keep(KEPT, { of, ...waiting });
  return waiting;
}

/** One line for each file that there is: size, and when it was last changed, its attributes included. */
async function state(host: HostAccess): Promise<string> {
  const found = await Promise.all(
    FOLDERS.map(async (folder) => ((await namesIn(host, folder)) ?? []).map((name) => `${folder}/${name}`)),
  );
  const lines = await Promise.all(
    [...FILES, ...found.flat()].map(async (path) => {
      const facts = await factsOf(host, path);
      return facts?.kind === 'file' ? [`${path} ${facts.size} ${facts.changed.getTime()}`] : [];
    }),
  );
  return lines.flat().join('\n');
}

async function simulate(host: HostAccess): Promise<AptUpgrade[] | undefined> {
  const apt = await host.find('apt-get');
  if (apt === undefined) return undefined;
  const { code, stdout } = await host.run(apt, SIMULATE, { timeout: minutes(3), maxOutput: 8 * MEBIBYTE });
  return code === 0 ? parseUpgrades(stdout) : undefined;
}

async function isSecurityOut(host: HostAccess, upgrades: readonly AptUpgrade[]): Promise<boolean | typeof UNKNOWN> {
  if (upgrades.length === 0 || upgrades.some(({ security }) => security)) return upgrades.length > 0;
  const cache = await host.find('apt-cache');
  if (cache === undefined) return UNKNOWN;
  const names = upgrades.map(({ name }) => name);
  const { code, stdout } = await host.run(cache, ['policy', ...names], {
    timeout: minutes(1),
    maxOutput: 8 * MEBIBYTE,
  });
  return code === 0 ? hasHiddenSecurity(stdout) : UNKNOWN;
}
