import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { NO_FAMILY, packageFamily } from '../package-family.ts';
import { aptRepositories } from './apt-repositories.ts';
import { judgeDnfRepositories } from './dnf-repositories.ts';
import { pacmanRepositories } from './pacman-repositories.ts';

/** Where packages come from, and whether anybody vouches for them. */
export const repositories: Fact = {
  name: 'repositories',
  look: async (host: HostAccess) => {
    const family = await packageFamily(host);
    switch (family) {
      case 'apt':
        return aptRepositories(host);
      case 'dnf':
        return judgeDnfRepositories(host);
      case 'pacman':
        return pacmanRepositories(host);
      case undefined:
        return unknown(NO_FAMILY);
      default:
        return family satisfies never;
    }
  },
};
