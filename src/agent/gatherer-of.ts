import type { AgentSettings } from '../settings/agent-settings.ts';
import type { Gatherer } from './gather.ts';
import { hostAccess, programEnvironment } from './host-access.ts';
import type { Session } from './session.ts';

export function gathererOf({ context, places }: Session, settings: AgentSettings): Gatherer {
  const { clock, uid, home, collectors, signal } = context;
  return {
    settings,
    collectors,
    pluginFolders: places.plugins,
    uid,
    env: programEnvironment(home),
    hostFor: (own) => hostAccess({ clock, uid, home, signal: own }),
    signal,
  };
}
