import { minutes } from '../../core/duration.ts';
import { type HostAccess, UNKNOWN } from '../collector.ts';
import { factsOf, namesIn, textOf } from './lenient.ts';
import { type Answer, earliest, isCurrent, sortedNames, type Updates, unlessStale } from './updates.ts';

/** Of dnf 5 and dnf 4. */
const CACHES = ['/var/cache/libdnf5', '/var/cache/dnf'];
/** Only what is in the cache; and a repository that is not there is an error, not "no updates" (Debian's dnf thinks otherwise). */
const CHECK = ['-q', '-C', '--setopt=*.skip_if_unavailable=False', 'check-update'];
const UPDATES_WAIT = 100;
const MEBIBYTE = 1024 * 1024;

export async function dnfUpdates(host: HostAccess): Promise<Updates> {
  const indexes = await repositoryIndexes(host);
  const facts = await Promise.all(indexes.map((path) => factsOf(host, path)));
  const current = isCurrent(host, earliest(facts.flatMap((each) => (each === undefined ? [] : [each.changed]))));
  const patches = indexes.length === 0 ? UNKNOWN : unlessStale(await check(host, []), current);
  return {
    // Nothing on the machine knows.
    release: UNKNOWN,
    current,
    patches,
    security_patches: patches === true ? await isSecurityOut(host, indexes, current) : patches,
    installed_packages: await installedPackages(host),
  };
}

async function repositoryIndexes(host: HostAccess): Promise<string[]> {
  const found: string[] = [];
  for (const cache of CACHES) {
    for (const repository of (await namesIn(host, cache)) ?? []) {
      const index = `${cache}/${repository}/repodata/repomd.xml`;
      if ((await factsOf(host, index)) !== undefined) found.push(index);
    }
    if (found.length > 0) break;
  }
  return found;
}

async function check(host: HostAccess, options: readonly string[]): Promise<Answer> {
  const dnf = await host.find('dnf');
  if (dnf === undefined) return UNKNOWN;
  const { code } = await host.run(dnf, [...CHECK, ...options], { timeout: minutes(2), maxOutput: 8 * MEBIBYTE });
  if (code === UPDATES_WAIT) return true;
  return code === 0 ? false : UNKNOWN;
}

/** Where no repository says which updates are for security, that none is found means nothing. */
async function isSecurityOut(host: HostAccess, indexes: readonly string[], current: Answer): Promise<Answer> {
  const texts = await Promise.all(indexes.map((path) => textOf(host, path)));
  if (!texts.some((text) => text?.includes('type="updateinfo"'))) return UNKNOWN;
  return unlessStale(await check(host, ['--security']), current);
}

async function installedPackages(host: HostAccess): Promise<string[]> {
  const rpm = await host.find('rpm');
  if (rpm === undefined) return [];
  const { code, stdout } = await host.run(rpm, ['-qa'], { timeout: minutes(1), maxOutput: 8 * MEBIBYTE });
  return code === 0 ? sortedNames(stdout.split('\n')) : [];
}
