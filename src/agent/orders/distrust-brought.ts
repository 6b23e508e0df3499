import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { LARGEST_FILE } from '../../wire/v2/order.ts';
import { withLock } from '../lock.ts';
import { readHostile } from '../read-hostile.ts';
import { CHANGING, mendSite, type SiteKit } from './change-site.ts';
import { sha256Of } from './read-verified.ts';
import { readSiteManifest } from './site-manifest.ts';

/** Why a file below site/ is not to be used: it is not, byte for byte, what an order brought. @param path such as `plugins/NAME` */
export async function distrustBrought(kit: SiteKit, path: string): Promise<string | undefined> {
  try {
    const problem = await compare(kit, path);
    // Not while an order replaces it: that is seen to its end first, by whoever began it or by us.
    if (problem === undefined || !(await isChanging(kit))) return problem;
    await withLock(kit.places.site.lock, 'look at the site folder', () => mendSite(kit));
    return await compare(kit, path);
  } catch (error) {
    return messageOf(error);
  }
}

async function compare({ places }: SiteKit, path: string): Promise<string | undefined> {
  const brought = (await readSiteManifest(places)).files[path];
  if (brought === undefined) return 'no order brought it';
  const bytes = await readHostile(join(places.site.root, path), LARGEST_FILE);
  if (bytes !== undefined && sha256Of(bytes) === brought.sha256) return undefined;
  return 'it was changed since an order brought it';
}

async function isChanging({ places }: SiteKit): Promise<boolean> {
  return lstat(join(places.site.root, CHANGING)).then(
    () => true,
    () => false,
  );
}
