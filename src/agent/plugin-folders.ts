import type { AgentSettings } from '../settings/agent-settings.ts';
import type { PluginFolder } from './find-plugins.ts';
import { distrustBrought } from './orders/distrust-brought.ts';
import type { Places } from './places.ts';

const NOT_LOCAL =
  'neither a package nor an order brought it; where plugins of this machine itself may run, its settings say plugins.local: true';

/** Where plugins are looked for, and what has to vouch for each. */
export function pluginFolders(
  places: Places,
  { plugins }: Pick<AgentSettings, 'plugins'>,
  uid: number,
): PluginFolder[] {
  const { local, packaged } = places.plugins;
  return [
    { path: local, ...(plugins.local ? {} : { distrust: async () => NOT_LOCAL }) },
    { path: places.site.plugins, distrust: (file) => distrustBrought({ places, uid }, `plugins/${file}`) },
    { path: packaged },
  ];
}
