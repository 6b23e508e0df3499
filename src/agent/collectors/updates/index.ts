import { group } from '../group.ts';
import { automaticUpdates } from './automatic-updates.ts';
import { flatpakUpdates } from './flatpak-updates.ts';
import { heldPackages } from './held-packages.ts';
import { livepatch } from './livepatch.ts';
import { metadataAge } from './metadata-age.ts';
import { releaseSupport } from './release-support.ts';
import { snapUpdates } from './snap-updates.ts';

export const updates = group('updates', 'how the machine keeps itself up to date', [
  automaticUpdates,
  flatpakUpdates,
  heldPackages,
  livepatch,
  metadataAge,
  releaseSupport,
  snapUpdates,
]);
