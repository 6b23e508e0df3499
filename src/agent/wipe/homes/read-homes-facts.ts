import type { HostAccess } from '../../collector.ts';
import { readLoginDefs } from '../../collectors/accounts/login-defs.ts';
import { parseMounts } from '../../collectors/mounts.ts';
import { ownersOf, pickPeople, systemRanges } from '../people.ts';
import { awayBy, idsOf, lookAtHomes, SYSTEM_FOLDERS } from './look-at-homes.ts';
import type { HomesFacts } from './plan-homes.ts';

const BIG = 16 * 1024 * 1024;
const HOMED = '/var/lib/systemd/home';

/** Read-only. @param own this program's folders: they stay. @throws where accounts or mounts cannot be read */
export async function readHomesFacts(host: HostAccess, own: readonly string[]): Promise<HomesFacts> {
  const passwd = await host.readText('/etc/passwd', { max: BIG });
  const mountinfo = await host.readText('/proc/self/mountinfo', { max: BIG });
  if (passwd === undefined || mountinfo === undefined)
    throw new Error('cannot read /etc/passwd and /proc/self/mountinfo');
  const people = pickPeople({ passwd, loginDefs: await readLoginDefs(host) });
  const mounts = parseMounts(mountinfo);
  const keep = idsOf([...SYSTEM_FOLDERS, ...people.otherHomes, ...own], awayBy(mounts));
  const homed = ((await host.list(HOMED)) ?? []).flatMap((name) => /^(.+)\.identity$/.exec(name)?.[1] ?? []);
  const subuid = (await host.readText('/etc/subuid', { max: BIG })) ?? '';
  const isSystem = ownersOf([], systemRanges(subuid, people.persons));
  return { people, homes: lookAtHomes(people, mounts, isSystem), keep, mounts, homed, subuid };
}
