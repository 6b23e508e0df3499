import type { Clock, Random } from '../core/world.ts';
import type { StoreSettings } from '../settings/server-settings.ts';
import type { Store } from './port.ts';

export interface StoreOptions {
  /** of the settings' user */
  password?: string;
  clock: Clock;
  random: Random;
}

/**
 * Opens the store, makes it where there is none, and brings its schema up to date. Each adapter is loaded only where it is used.
 * @throws StoreUnavailable where it cannot be reached now: try again
 * @throws OperatorError where trying again would not help: a newer schema, a refused password
 */
export async function openStore(settings: StoreSettings, options: StoreOptions): Promise<Store> {
  if (settings.kind === 'embedded') {
    const { openEmbedded } = await import('./embedded/open-embedded.ts');
    return openEmbedded(settings.file, options);
  }
  const { openMongo } = await import('./mongo/open-mongo.ts');
  return openMongo(settings, options);
}
