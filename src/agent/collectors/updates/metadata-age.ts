import { days, type Milliseconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { aptConfirmedAt } from '../apt-updates.ts';
import { dnfConfirmedAt } from '../dnf-updates.ts';
import { freshLists } from '../fresh-lists.ts';
import { type Fact, unknown } from '../group.ts';
import { NO_FAMILY, packageFamily } from '../package-family.ts';
import { pacmanConfirmedAt } from '../pacman-updates.ts';
import { latest } from '../updates.ts';

/** Classes, and not days: a number would change every day while nothing else does. */
const CLASSES: readonly { name: string; below: Milliseconds }[] = [
  { name: 'under-2-days', below: days(2) },
  { name: 'under-7-days', below: days(7) },
  { name: 'under-30-days', below: days(30) },
];

export const metadataAge: Fact = {
  name: 'metadata_age',
  look: async (host, tools) => {
    const family = await packageFamily(host);
    switch (family) {
      case 'apt':
        return classOf(host, await aptConfirmedAt(host));
      case 'pacman':
        return classOf(host, latestOf(await pacmanConfirmedAt(host), await freshLists(tools, family)));
      case 'dnf': {
        const confirmed = await dnfConfirmedAt(host);
        const fresh = await freshLists(tools, family);
        if (fresh !== undefined) return classOf(host, latestOf(confirmed?.at, fresh));
        // One that is not there is passed over without a word where skip_if_unavailable is set: the others say nothing of it.
        const [missing] = confirmed?.missing ?? [];
        return missing === undefined
          ? classOf(host, confirmed?.at)
          : unknown(`no data of the repository ${missing} are there`);
      }
      case undefined:
        return unknown(NO_FAMILY);
      default:
        return family satisfies never;
    }
  },
};

/** Lists that were fetched for the agent alone count as the machine's own do. */
function latestOf(own: Date | undefined, fresh: { at: Date } | undefined): Date | undefined {
  return latest([own, fresh?.at].flatMap((each) => each ?? []));
}

function classOf(host: HostAccess, at: Date | undefined): string {
  if (at === undefined) return 'never';
  const age = host.now().getTime() - at.getTime();
  return CLASSES.find(({ below }) => age < below)?.name ?? 'older';
}
