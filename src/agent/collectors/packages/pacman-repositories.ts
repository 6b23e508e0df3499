import type { HostAccess } from '../../collector.ts';
import { unknown } from '../group.ts';
import { readPacmanConf } from '../pacman-conf.ts';
import { type Problem, type Repository, sortedRepositories } from './repository.ts';

/** Arch's own, by the names that it gives them: nothing in a database says whose it is. */
const OWN =
  /^(?:core|extra|multilib|community|gnome-unstable|kde-unstable)(?:-(?:testing|staging))?$|^testing$|^staging$/;

export async function pacmanRepositories(host: HostAccess): Promise<unknown> {
  const conf = await readPacmanConf(host);
  if (conf === undefined) return unknown('pacman-conf does not answer');
  const general = conf.options.get('SigLevel') ?? [];
  return sortedRepositories(
    conf.repositories.map(({ name, settings }): Repository => {
      const level = settings.get('SigLevel') ?? general;
      return { name, file: '/etc/pacman.conf', foreign: !OWN.test(name), problems: problemsOf(level) };
    }),
  );
}

/** Words as pacman-conf prints them (pacman.conf(5), "Package and database signature checking"): what a package's own signature must be counts. */
function problemsOf(level: readonly string[]): Problem[] {
  if (level.includes('PackageNever')) return ['unsigned'];
  const trusts: Problem[] = level.includes('PackageTrustAll') ? ['any-key'] : [];
  return level.includes('PackageRequired') ? trusts : [...trusts, 'unsigned-allowed'];
}
