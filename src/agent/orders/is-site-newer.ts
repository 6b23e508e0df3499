import type { Places } from '../places.ts';
import { readSiteManifest } from './site-manifest.ts';

/** Whether orders brought something since that time: what this machine says may be another thing now. */
export async function isSiteNewer(places: Pick<Places, 'site'>, time: string | null, now: Date): Promise<boolean> {
  const changed = (await readSiteManifest(places).catch(() => undefined))?.changed_at ?? null;
  if (changed === null || time === null) return false;
  // One in the future was written by a wrong clock.
  return changed > time && changed <= now.toISOString();
}
