import { minutes } from '../../core/duration.ts';
import { type HostAccess, UNKNOWN } from '../collector.ts';
import { dnfRepositories } from './dnf-repositories.ts';
import { factsOf, namesIn, textOf } from './lenient.ts';
import { type Answer, earliest, isCurrent, latest, sortedNames, type Updates, unlessStale } from './updates.ts';

/** Of dnf 5 and dnf 4. */
const CACHES = ['/var/cache/libdnf5', '/var/cache/dnf'];
/** A repository that is not there is an error, not "no updates" (Debian's dnf thinks otherwise). */
const CHECK = ['-q', '--setopt=*.skip_if_unavailable=False', 'check-update'];
const UPDATES_WAIT = 100;
const MEBIBYTE = 1024 * 1024;

/** What the cache holds of one repository. */
interface Cached {
  id: string;
  /** when the server last confirmed it */
  at: Date | undefined;
  /** says which updates are for security */
  advises: boolean;
}

export async function dnfUpdates(host: HostAccess): Promise<Updates> {
  const repositories = await readCache(host);
  const current = areCurrent(host, repositories);
  const patches = repositories.length === 0 ? UNKNOWN : unlessStale(await check(host, []), current);
  return {
    // Nothing on the machine knows.
    release: UNKNOWN,
    current,
    patches,
    security_patches: patches === true ? await isSecurityOut(host, repositories, current) : patches,
    installed_packages: await installedByRpm(host),
  };
}

/**
 * What lists say that are fetched now, into the folder and nowhere else.
 * @throws where one of the repositories does not answer
 */
export async function dnfLists(host: HostAccess, folder: string) {
  const dnf = await host.find('dnf');
  if (dnf === undefined) throw new Error('cannot fetch lists: dnf is missing');
  const isFive = (await host.find('dnf5')) !== undefined;
  const places = ['cachedir', 'logdir', ...(isFive ? ['system_cachedir'] : [])].map(
    (key) => `--setopt=${key}=${folder}`,
  );
  const { code, problem, stderr } = await host.run(dnf, [...places, '--refresh', ...CHECK], {
    timeout: minutes(12),
    maxOutput: 8 * MEBIBYTE,
  });
  if (code !== UPDATES_WAIT && code !== 0) {
    throw new Error(`cannot fetch lists: dnf says ${stderr.trim().split('\n').at(-1) || (problem ?? code)}`);
  }
  const patches = code === UPDATES_WAIT;
  const repositories = await readCache(host, [folder]);
  return { patches, security_patches: patches ? await isSecurityOut(host, repositories, true, places) : patches };
}

/**
 * When the server of the repository that was asked longest ago last confirmed its data.
 * @returns also the repositories of which there are none; undefined where there are none of any
 */
export async function dnfConfirmedAt(host: HostAccess): Promise<{ at: Date; missing: string[] } | undefined> {
  const repositories = await readCache(host);
  const at = earliest(repositories.flatMap((each) => each.at ?? []));
  const missing = repositories.filter((each) => each.at === undefined).map(({ id }) => id);
  return at === undefined ? undefined : { at, missing: missing.sort() };
}

function areCurrent(host: HostAccess, repositories: readonly Cached[]): boolean {
  const dates = repositories.flatMap(({ at }) => (at === undefined ? [] : [at]));
  return dates.length === repositories.length && isCurrent(host, earliest(dates));
}

/** Of the repositories that are switched on; the cache keeps those of old too. */
async function readCache(host: HostAccess, caches: readonly string[] = CACHES): Promise<Cached[]> {
  const ids = new Set((await dnfRepositories(host)).flatMap(({ id, enabled }) => (enabled ? [id] : [])));
  for (const cache of caches) {
    const folders = ((await namesIn(host, cache)) ?? []).filter((name) => repositoryOf(name) !== undefined);
    if (folders.length === 0) continue;
    return Promise.all(
      [...ids].map(async (id) => {
        const own = folders.filter((folder) => repositoryOf(folder) === id);
        const read = await Promise.all(own.map((folder) => readRepository(host, `${cache}/${folder}/repodata`)));
        return { id, at: latest(read.flatMap(({ at }) => at ?? [])), advises: read.some(({ advises }) => advises) };
      }),
    );
  }
  return [];
}

/** The repository that a cache folder is of: `fedora-73071d1c37cf1c7b`. */
function repositoryOf(folder: string): string | undefined {
  return /^(.+)-[0-9a-f]{16}$/.exec(folder)?.[1];
}

/**
 * dnf sets the mtime of a repository's list of packages when the server confirms it; the ctime moves with every use, and
 * `last_makecache` also where no server answered.
 */
async function readRepository(host: HostAccess, folder: string): Promise<Omit<Cached, 'id'>> {
  const names = ((await namesIn(host, folder)) ?? []).filter((name) => /(?:^repomd|primary)\.xml/.test(name));
  const facts = await Promise.all(names.map((name) => factsOf(host, `${folder}/${name}`)));
  const index = await textOf(host, `${folder}/repomd.xml`);
  return {
    at: latest(facts.flatMap((each) => each?.modified ?? [])),
    advises: index?.includes('type="updateinfo"') ?? false,
  };
}

/** Only by what is in the cache. */
async function check(host: HostAccess, options: readonly string[]): Promise<Answer> {
  const dnf = await host.find('dnf');
  if (dnf === undefined) return UNKNOWN;
  const { code } = await host.run(dnf, ['-C', ...CHECK, ...options], { timeout: minutes(2), maxOutput: 8 * MEBIBYTE });
  if (code === UPDATES_WAIT) return true;
  return code === 0 ? false : UNKNOWN;
}

/** Where no repository says which updates are for security, that none is found means nothing. */
async function isSecurityOut(
  host: HostAccess,
  repositories: readonly Cached[],
  current: Answer,
  options: readonly string[] = [],
): Promise<Answer> {
  if (!repositories.some(({ advises }) => advises)) return UNKNOWN;
  return unlessStale(await check(host, [...options, '--security']), current);
}

/** With their versions, sorted. */
export async function installedByRpm(host: HostAccess): Promise<string[]> {
  const rpm = await host.find('rpm');
  if (rpm === undefined) return [];
  const { code, stdout } = await host.run(rpm, ['-qa'], { timeout: minutes(1), maxOutput: 8 * MEBIBYTE });
  return code === 0 ? sortedNames(stdout.split('\n')) : [];
}
