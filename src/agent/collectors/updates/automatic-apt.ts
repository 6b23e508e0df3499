import type { HostAccess } from '../../collector.ts';
import { readAptConfig } from '../apt-config.ts';
import { unknown } from '../group.ts';
import { factsOf } from '../lenient.ts';
import { readOsRelease } from '../os-release.ts';
import type { AptConfig } from '../parse-apt-config.ts';
import { type Automatic, automatic } from './automatic.ts';
import { coversSecurity } from './unattended-origins.ts';
import { isMasked, timerState } from './unit-state.ts';

const BY = 'unattended-upgrades';

/**
 * All that must hold before unattended-upgrades installs anything: it is there, apt's daily job is to fetch lists and to run it, the
 * timers do run that job, and what it may install comes from a security archive too.
 */
export async function automaticApt(host: HostAccess): Promise<Automatic | ReturnType<typeof unknown>> {
  const os = await readOsRelease(host);
  if ((await host.find('unattended-upgrade')) === undefined) {
    return orElsewhere(host, os, automatic('nothing', [`${BY} is not installed`]));
  }
  const config = await readAptConfig(host);
  if (config === undefined) return unknown('apt-config does not answer');
  const problems = [...periodic(config), ...(await schedule(host))];
  if (!coversSecurity(config, os)) problems.push('its origins hold no security archive');
  return orElsewhere(host, os, automatic(BY, problems));
}

const MINT = { timer: 'mintupdate-automation-upgrade.timer', by: 'mintupdate' };
/** Its preferences make this file, and what the timer starts (/usr/bin/mintupdate-automation) does nothing without it. */
const MINT_IS_TO = '/var/lib/linuxmint/mintupdate-automatic-upgrades-enabled';

/** Linux Mint's Update Manager can do it in its own way. */
async function orElsewhere(
  host: HostAccess,
  os: Map<string, string> | undefined,
  found: Automatic,
): Promise<Automatic> {
  if (os?.get('ID') !== 'linuxmint' || found.enabled !== false) return found;
  if ((await factsOf(host, MINT_IS_TO)) === undefined) {
    return automatic(found.by, [...found.problems, "the Update Manager's automation is off"]);
  }
  const state = await timerState(host, MINT.timer);
  return state === 'enabled'
    ? automatic(MINT.by, [])
    : automatic(found.by, [...found.problems, `${MINT.timer} is ${state}`]);
}

/**
 * As /usr/lib/apt/apt.systemd.daily reads them: only the number 0 switches the job off ("false" is no number, and the script goes on); an
 * interval that is 0 or nothing is never, and anything else some day.
 */
function periodic(config: AptConfig): string[] {
  const enable = config.value('APT::Periodic::Enable') ?? '1';
  const never = ['Update-Package-Lists', 'Unattended-Upgrade'].filter((name) =>
    ['', '0'].includes(config.value(`APT::Periodic::${name}`) ?? '0'),
  );
  return [...(/^0+$/.test(enable) ? ['Enable'] : []), ...never].map((name) => `APT::Periodic::${name} is off`);
}

/** Without systemd cron does it (/etc/cron.daily/apt-compat). */
async function schedule(host: HostAccess): Promise<string[]> {
  if ((await factsOf(host, '/run/systemd/system')) === undefined) {
    const [job, cron] = await Promise.all([factsOf(host, '/etc/cron.daily/apt-compat'), host.find('cron')]);
    return job === undefined || cron === undefined ? ['neither systemd nor cron runs its job'] : [];
  }
  const problems: string[] = [];
  for (const name of ['apt-daily', 'apt-daily-upgrade']) {
    const state = await timerState(host, `${name}.timer`);
    if (state !== 'enabled') problems.push(`${name}.timer is ${state}`);
    if (await isMasked(host, `${name}.service`)) problems.push(`${name}.service is masked`);
  }
  return problems;
}
