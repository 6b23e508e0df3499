import { createHash } from 'node:crypto';
import { wantedSettings } from '../../settings/client-settings.ts';
import { findSettingsFault } from '../../settings/find-settings-fault.ts';
import { readSiteFile, WANTED_FILE } from '../../settings/read-site-file.ts';
import type { Manifest, ManifestFile } from '../../wire/v2/order.ts';
import type { Wanted } from './change-site.ts';
import { OrderRefused } from './check-target.ts';
import { readVerified } from './read-verified.ts';
import type { SiteManifest } from './site-manifest.ts';
import { wantedText } from './site-settings.ts';

export type SiteOrder = Extract<Manifest, { kind: 'patch' | 'release' | 'settings' }>;

const OTHERS_WRITE = 0o022;
const READ_BY_OWNER = 0o400;

/**
 * What an order makes of site/.
 * @param folder of the order
 * @throws OrderRefused for an older release, a mode that lets others write, or settings that no order may bring
 */
export async function planChange(order: SiteOrder, folder: string, was: SiteManifest, at: Date): Promise<Wanted> {
  switch (order.kind) {
    case 'patch':
      await checkFiles(order.files, order.removed, folder);
      return { files: order.files, removed: order.removed, becomes: changedBy(order, order.removed, at) };
    case 'release': {
      if (order.number <= was.release) {
        throw new OrderRefused(`cannot install release ${order.number}: release ${was.release} is here`);
      }
      await checkFiles(order.files, [], folder);
      const kept = new Set([...order.files.map(({ path }) => path), WANTED_FILE]);
      const removed = Object.keys(was.files).filter((path) => !kept.has(path));
      return { files: order.files, removed, becomes: changedBy(order, removed, at, order.number) };
    }
    case 'settings':
      return planSettings(order, at);
    default:
      return order satisfies never;
  }
}

function planSettings(order: Extract<Manifest, { kind: 'settings' }>, at: Date): Wanted {
  const fault = findSettingsFault(order.wanted, wantedSettings);
  if (fault !== undefined) throw new OrderRefused(`cannot take the settings over: ${fault}`);
  const content = Buffer.from(wantedText(order.wanted));
  if (content.length === 0) {
    return { files: [], removed: [WANTED_FILE], becomes: changedBy({ id: order.id, files: [] }, [WANTED_FILE], at) };
  }
  const sha256 = createHash('sha256').update(content).digest('hex');
  const files = [{ path: WANTED_FILE, mode: 0o600, sha256, content }];
  return { files, removed: [], becomes: changedBy({ id: order.id, files }, [], at) };
}

/** Which settings an order may bring does not depend on the kind of order; neither may others write to what root runs. */
async function checkFiles(files: readonly ManifestFile[], removed: readonly string[], folder: string): Promise<void> {
  for (const path of [...files.map((one) => one.path), ...removed]) {
    if (path === WANTED_FILE) throw new OrderRefused(`cannot write ${path}: orders of settings alone write it`);
  }
  for (const { path, mode, sha256 } of files) {
    if ((mode & OTHERS_WRITE) !== 0) throw new OrderRefused(`cannot write ${path}: others could write to it`);
    if ((mode & READ_BY_OWNER) === 0) throw new OrderRefused(`cannot write ${path}: its owner could not read it`);
    if (!path.startsWith('settings/')) continue;
    const read = await readSiteFile(path, await readVerified(folder, sha256));
    if ('fault' in read) throw new OrderRefused(`cannot write ${path}: ${read.fault}`);
  }
}

function changedBy(
  { id, files }: { id: string; files: readonly Pick<ManifestFile, 'path' | 'sha256' | 'mode'>[] },
  removed: readonly string[],
  at: Date,
  release?: number,
): (was: SiteManifest) => SiteManifest {
  return (was) => {
    const kept = Object.entries(was.files).filter(([path]) => !removed.includes(path));
    const brought = files.map(({ path, sha256, mode }) => [path, { sha256, mode, order: id }] as const);
    return {
      release: release ?? was.release,
      changed_at: at.toISOString(),
      files: Object.fromEntries([...kept, ...brought]),
    };
  };
}
