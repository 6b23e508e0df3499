import * as v from 'valibot';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { writeAtomically } from '../write-atomically.ts';

const siteFile = v.object({ sha256: v.string(), mode: v.number(), order: v.string() });

/** site/manifest.json: what orders brought, by path (`plugins/NAME`), and the newest release; only that is run or read from there. */
export const siteManifest = v.object({
  release: v.number(),
  /** when it became this */
  changed_at: v.nullable(v.string()),
  files: v.record(v.string(), siteFile),
});
export type SiteManifest = v.InferOutput<typeof siteManifest>;

const LARGEST = 4 * 1024 * 1024;
export const NO_MANIFEST: SiteManifest = { release: 0, changed_at: null, files: {} };

/** @throws where it is damaged */
export async function readSiteManifest({ site }: Pick<Places, 'site'>): Promise<SiteManifest> {
  const bytes = await readHostile(site.manifest, LARGEST);
  if (bytes === undefined) return NO_MANIFEST;
  try {
    return v.parse(siteManifest, JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new Error(`cannot use ${site.manifest}: it is damaged`, { cause });
  }
}

export async function writeSiteManifest({ site }: Pick<Places, 'site'>, manifest: SiteManifest): Promise<void> {
  await writeAtomically(site.manifest, `${JSON.stringify(manifest)}\n`, 0o600);
}
