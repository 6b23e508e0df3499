import { hours, minutes } from '../../core/duration.ts';
import type { Manifest, ManifestFile } from '../../wire/v2/order.ts';

/** Of a command that came by a patch or a release, which say none. */
const USUAL_LIMIT = hours(1) / 1000;
/** Of a wipe: it ends sessions and removes homes. */
const WIPE_LIMIT = hours(12) / 1000;
const SLACK = minutes(1) / 1000;

/** The programs that an order runs once, in the order in which it names them. */
export function commandsOf(manifest: Manifest): readonly ManifestFile[] {
  return manifest.files.filter(({ path }) => path.startsWith('commands/'));
}

/** Seconds that each of an order's commands may take. */
export function timeoutOf(manifest: Manifest): number {
  return manifest.kind === 'command' ? manifest.timeout : USUAL_LIMIT;
}

/** Seconds that all of an order may take. */
export function limitOf(manifest: Manifest): number {
  if (manifest.kind === 'wipe' || manifest.kind === 'unlock') return WIPE_LIMIT;
  return commandsOf(manifest).length * timeoutOf(manifest) + SLACK;
}
