import { type CollectorTools, type HostAccess, UNKNOWN } from '../collector.ts';
import { aptWaiting, type Waiting } from './apt-waiting.ts';
import { factsOf, namesIn, textOf } from './lenient.ts';
import { readOsRelease } from './os-release.ts';
import { type AptRelease, hasSecurityArchive, isSecurityArchive, parseDpkgStatus, parseRelease } from './parse-apt.ts';
import { type Answer, earliest, isCurrent, sortedNames, type Updates, unlessStale } from './updates.ts';

const LISTS = '/var/lib/apt/lists';
const MEBIBYTE = 1024 * 1024;

/** When the server of the source that was asked longest ago last confirmed its data. @returns undefined where there are none */
export async function aptConfirmedAt(host: HostAccess): Promise<Date | undefined> {
  return confirmedAt(host, await releaseFiles(host));
}

async function releaseFiles(host: HostAccess): Promise<string[]> {
  return ((await namesIn(host, LISTS)) ?? []).filter((name) => /_(?:In)?Release$/.test(name));
}

export async function aptUpdates(host: HostAccess, tools: CollectorTools): Promise<Updates> {
  const files = await releaseFiles(host);
  const releases = await Promise.all(
    files.map(async (name) => parseRelease((await textOf(host, `${LISTS}/${name}`)) ?? '')),
  );
  const [confirmed, release, installed, waiting] = await Promise.all([
    confirmedAt(host, files),
    isReleaseOut(host, releases),
    textOf(host, '/var/lib/dpkg/status', 64 * MEBIBYTE),
    // Without package data a simulation finds nothing to do, and says so as if all were well.
    files.length === 0 ? undefined : aptWaiting(host, tools),
  ]);
  const current = isCurrent(host, confirmed);
  return {
    release,
    current,
    patches: unlessStale(waiting?.patches ?? UNKNOWN, current),
    security_patches: unlessStale(waiting === undefined ? UNKNOWN : securityOf(waiting, releases), current),
    installed_packages: sortedNames(parseDpkgStatus(installed ?? '')),
  };
}

/**
 * Where no security archive is among the sources, none of its updates are seen: on a stable release that says nothing, and where there is
 * none by design (testing, unstable, Kali, Raspbian) any update may be one.
 */
function securityOf({ patches, security }: Waiting, releases: readonly AptRelease[]): Answer {
  if (security !== false || releases.some(isSecurityArchive)) return security;
  return patches || releases.some(hasSecurityArchive) ? UNKNOWN : false;
}

/**
 * apt confirms each repository by itself: it changes the file's ctime also where the server has nothing new, and leaves it alone where
 * the server was down or its signature was bad. Their mtime is the server's, and the stamps under periodic/ know only of timers.
 */
async function confirmedAt(host: HostAccess, releases: readonly string[]): Promise<Date | undefined> {
  const facts = await Promise.all(releases.map((name) => factsOf(host, `${LISTS}/${name}`)));
  return earliest(facts.flatMap((each) => (each === undefined ? [] : [each.changed])));
}

/** Debian's own repository says that it has become `oldstable`; Ubuntu's tools leave a note each time that they ask. */
async function isReleaseOut(host: HostAccess, releases: readonly AptRelease[]): Promise<Answer> {
  const system = await readOsRelease(host);
  if (system?.get('ID') === 'ubuntu') {
    const note = await textOf(host, '/var/lib/ubuntu-release-upgrader/release-upgrade-available');
    return note === undefined ? UNKNOWN : note.trim() !== '';
  }
  const codename = system?.get('VERSION_CODENAME');
  for (const repository of releases) {
    if (repository.origin !== 'Debian' || repository.codename !== codename) continue;
    if (/^(?:old)+stable$/.test(repository.suite ?? '')) return true;
    if (/^(?:stable|testing|unstable)$/.test(repository.suite ?? '')) return false;
  }
  return UNKNOWN;
}
