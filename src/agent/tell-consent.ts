import { join } from 'node:path';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { collectorTools } from './collector-tools.ts';
import type { Session } from './session.ts';

/** What whoever switches it on is told, and should tell the people who use the machine. */
export function consentText(url: string): string {
  return [
    'geolocation is on: this machine now finds out where it is, and reports it.',
    `The hardware addresses of the Wi-Fi access points around it go to ${new URL(url).host}, which answers with a place;`,
    'the place goes to the PenguinDome server, where operators see it and where it stays in the history of this host.',
    'Somebody carries this machine: ask them before, and keep to the law of where they live and work.',
    'To switch it off, remove collectors.geolocation from the settings.',
  ].join('\n');
}

const KEY = 'consent';

/** Says it when geolocation was switched on, or asks somebody else from now on; not again as long as it stays so. */
export async function tellConsent({ context, places, output }: Session, settings: AgentSettings): Promise<void> {
  const { geolocation, disabled } = settings.collectors;
  const url = geolocation === undefined || disabled.includes('geolocation') ? null : geolocation.url;
  const tools = collectorTools({
    folder: join(places.kept, 'geolocation'),
    clock: context.clock,
    settings,
    keeps: true,
  });
  const told = (await tools.recall(KEY))?.value ?? null;
  if (told === url) return;
  if (url !== null) output.note(consentText(url));
  await tools.keep(KEY, url);
}
