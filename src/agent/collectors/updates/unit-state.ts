import type { HostAccess } from '../../collector.ts';
import { linkAt, namesIn } from '../lenient.ts';

/** In the order in which they count (systemd.unit(5)); /lib is where Debian 12 still has them. */
const FOLDERS = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

export type UnitState = 'enabled' | 'disabled' | 'masked' | 'missing';

/** What `systemctl is-enabled` would say of a timer that timers.target wants, read from the files: the same where systemd does not answer. */
export async function timerState(host: HostAccess, timer: string): Promise<UnitState> {
  if (await isMasked(host, timer)) return 'masked';
  const [there, wanted] = await Promise.all([
    Promise.all(FOLDERS.map((folder) => namesIn(host, folder))),
    Promise.all(FOLDERS.map((folder) => namesIn(host, `${folder}/timers.target.wants`))),
  ]);
  if (!there.some((names) => names?.includes(timer))) return 'missing';
  return wanted.some((names) => names?.includes(timer)) ? 'enabled' : 'disabled';
}

export async function isMasked(host: HostAccess, unit: string): Promise<boolean> {
  const targets = await Promise.all(FOLDERS.slice(0, 2).map((folder) => linkAt(host, `${folder}/${unit}`)));
  return targets.includes('/dev/null');
}
