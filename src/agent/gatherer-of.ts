import { join } from 'node:path';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { collectorTools } from './collector-tools.ts';
import type { Gatherer } from './gather.ts';
import { hostAccess, programEnvironment } from './host-access.ts';
import type { Session } from './session.ts';

/** @param keeps whether collectors may keep something for their next run */
export async function gathererOf(
  { context, places }: Session,
  settings: AgentSettings,
  keeps = false,
): Promise<Gatherer> {
  const { clock, uid, home, credentials, signal } = context;
  return {
    settings,
    collectors: await context.collectors(),
    pluginFolders: places.plugins,
    uid,
    env: programEnvironment(home),
    toolsFor: (name) =>
      collectorTools({ folder: join(places.kept, name), clock, settings: settings.collectors, keeps, credentials }),
    hostFor: (own) => hostAccess({ clock, uid, home, signal: own }),
    signal,
  };
}
