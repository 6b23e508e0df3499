import { minutes } from '../../core/duration.ts';
import { type HostAccess, UNKNOWN } from '../collector.ts';
import { factsOf, namesIn } from './lenient.ts';
import { type Answer, isCurrent, latest, sortedNames, type Updates, unlessStale } from './updates.ts';

const DATA = '/var/lib/pacman';

/** When the databases were last confirmed: one without news is not touched, and the big ones have some every day. @returns undefined where there are none */
export async function pacmanConfirmedAt(host: HostAccess): Promise<Date | undefined> {
  const databases = ((await namesIn(host, `${DATA}/sync`)) ?? []).filter((name) => name.endsWith('.db'));
  const facts = await Promise.all(databases.map((name) => factsOf(host, `${DATA}/sync/${name}`)));
  return latest(facts.flatMap((each) => (each === undefined ? [] : [each.changed])));
}

export async function pacmanUpdates(host: HostAccess): Promise<Updates> {
  const confirmed = await pacmanConfirmedAt(host);
  const current = isCurrent(host, confirmed);
  const waiting = confirmed === undefined ? UNKNOWN : await isUpdateOut(host);
  const patches = unlessStale(waiting, current);
  return {
    // Rolling: there are no releases.
    release: false,
    current,
    ...withSecurity(patches),
    installed_packages: sortedNames((await installedByPacman(host)).map(nameOf)),
  };
}

/** With lists that are current. @param options of pacman: where they are */
export async function pacmanAnswers(host: HostAccess, options: readonly string[]) {
  return withSecurity(await isUpdateOut(host, options));
}

/** pacman does not tell which of them are; where there is none at all there is none for security. */
function withSecurity(patches: Answer): Pick<Updates, 'patches' | 'security_patches'> {
  return { patches, security_patches: patches === false ? false : UNKNOWN };
}

/** With their versions, sorted. */
export async function installedByPacman(host: HostAccess): Promise<string[]> {
  return ((await namesIn(host, `${DATA}/local`)) ?? []).sort();
}

/** `-Qu` compares with the data that is there; status 1 without a word means that there is nothing. */
async function isUpdateOut(host: HostAccess, options: readonly string[] = []): Promise<Answer> {
  const pacman = await host.find('pacman');
  if (pacman === undefined) return UNKNOWN;
  const { code, stdout, stderr } = await host.run(pacman, [...options, '-Qu'], { timeout: minutes(1) });
  if (code === 0) return stdout.trim() !== '';
  return code === 1 && stdout.trim() === '' && stderr.trim() === '' ? false : UNKNOWN;
}

/** Folders are called NAME-VERSION-RELEASE; a name may hold dashes, the other two not. */
function nameOf(folder: string): string {
  return /^(.+)-[^-]+-[^-]+$/.exec(folder)?.[1] ?? '';
}
