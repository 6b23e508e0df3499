import { hours, seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { sortedNames } from '../updates.ts';

/** Applications and runtimes of the whole system, by what the machine last heard of its remotes; a user's own are private. */
const LIST = ['remote-ls', '--system', '--updates', '--cached', '--columns=ref'];
/** `--cached` asks the network where there is no cache: it then finds a proxy that is none. */
const OFFLINE = {
  all_proxy: 'http://127.0.0.1:9',
  http_proxy: 'http://127.0.0.1:9',
  https_proxy: 'http://127.0.0.1:9',
};

export const flatpakUpdates: Fact = {
  name: 'flatpak_updates',
  interval: hours(6),
  timeout: seconds(60),
  look: async (host: HostAccess) => {
    const flatpak = await host.find('flatpak');
    if (flatpak === undefined) return undefined;
    const { code, stdout } = await host.run(flatpak, LIST, { env: OFFLINE });
    if (code !== 0) return unknown('flatpak has no data of its remotes');
    return sortedNames(stdout.split('\n').map((line) => line.trim()));
  },
};
