import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf } from '../lenient.ts';
import { NO_FAMILY, packageFamily } from '../package-family.ts';
import type { Automatic } from './automatic.ts';
import { automaticApt } from './automatic-apt.ts';
import { automaticDnf, automaticOstree } from './automatic-dnf.ts';

export const automaticUpdates: Fact = {
  name: 'automatic_updates',
  look: async (host: HostAccess) => {
    if ((await factsOf(host, '/run/ostree-booted')) !== undefined) return automaticOstree(host);
    const family = await packageFamily(host);
    switch (family) {
      case 'apt':
        return automaticApt(host);
      case 'dnf':
        return automaticDnf(host);
      case 'pacman':
        return byHand();
      case undefined:
        return unknown(NO_FAMILY);
      default:
        return family satisfies never;
    }
  },
};

function byHand(): Automatic {
  return {
    by: 'nothing',
    enabled: 'not-applicable',
    problems: ['a rolling release is updated by hand: see how old its package data are'],
  };
}
