import { join } from 'node:path';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { collectorTools } from './collector-tools.ts';
import type { Gatherer } from './gather.ts';
import { hostAccess, programEnvironment } from './host-access.ts';
import { leftFor } from './online/left-for.ts';
import { pluginFolders } from './plugin-folders.ts';
import { openRoom } from './plugin-room.ts';
import type { Session } from './session.ts';

/** @param keeps whether collectors and plugins may keep something for their next run */
export async function gathererOf(
  { context, places, output }: Session,
  settings: AgentSettings,
  keeps = false,
): Promise<Gatherer> {
  const { clock, uid, home, credentials, signal, version, program } = context;
  const left = await leftFor({ places, settings, clock, uid });
  return {
    settings,
    collectors: await context.collectors(),
    pluginFolders: pluginFolders(places, settings, uid),
    uid,
    env: {
      ...programEnvironment(home),
      PENGUINDOME_CONFIG: places.settings,
      PENGUINDOME_NODE: program.node,
      PENGUINDOME_TOOL: program.pluginTool,
      PENGUINDOME_VERSION: version,
    },
    roomFor: (plugin) => openRoom(places.pluginRooms, plugin, keeps),
    say: output.note,
    toolsFor: (name) =>
      collectorTools({ folder: join(places.kept, name), clock, settings, version, keeps, credentials, left }),
    hostFor: (own) => hostAccess({ clock, uid, home, signal: own }),
    signal,
  };
}
