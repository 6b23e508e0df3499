import { resolve } from 'node:path';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { loadAgentSettings } from '../settings/agent-settings-file.ts';
import { type AgentContext, type Output, outputOf } from './context.ts';
import { hostnameOf } from './hostname-of.ts';
import { readSiteSettings } from './orders/site-settings.ts';
import { type Places, placesOf } from './places.ts';
import type { Asking } from './read-status.ts';

/** One run of the program: what its options and settings make of the context. */
export interface Session {
  context: AgentContext;
  places: Places;
  output: Output;
  settings(): Promise<AgentSettings>;
}

export function session(context: AgentContext, options: { state?: string; config?: string; json?: true }): Session {
  const places = placesOf({
    ...(options.state === undefined ? {} : { state: resolve(options.state) }),
    ...(options.config === undefined ? {} : { config: resolve(options.config) }),
    credentials: context.credentials,
  });
  return {
    context,
    places,
    output: outputOf(context, options.json === true),
    settings: async () =>
      loadAgentSettings(places.settings, places.settingsFolder, (await readSiteSettings(places)).value),
  };
}

export function askingOf({ context, places }: Session, settings: AgentSettings): Asking {
  return {
    places,
    settings,
    hostname: hostnameOf(settings, context.hostname),
    version: context.version,
    now: context.clock.now(),
  };
}
