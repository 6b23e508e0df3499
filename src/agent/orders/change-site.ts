import { lstatSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../core/errors.ts';
import { LARGEST_FILE } from '../../wire/v2/order.ts';
import { hasCode } from '../has-code.ts';
import { makeFolder, type Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { syncFolder, unlinkIfThere, writeAtomically } from '../write-atomically.ts';
import { checkTarget } from './check-target.ts';
import { type ChangeStep, type OrderState, readOrderState, type SiteChange, writeOrderState } from './order-state.ts';
import { readVerified, sha256Of } from './read-verified.ts';
import { type SiteManifest, writeSiteManifest } from './site-manifest.ts';

/** What changing site/ takes. Whoever calls holds its lock. */
export interface SiteKit {
  places: Pick<Places, 'state' | 'site'>;
  uid: number;
  /** before each step: tests end the program there */
  onStep?: (name: string) => void;
}

/** Files to be there and paths to be empty, with the manifest that tells of it afterwards. */
export interface Wanted {
  files: readonly { path: string; mode: number; sha256: string; content?: Uint8Array }[];
  removed: readonly string[];
  becomes(was: SiteManifest): SiteManifest;
}

/** What stands in site/.changing while files are being exchanged: the folder of the order. */
export const CHANGING = '.changing';

/**
 * Changes files below site/, all of them or none. First everything is checked, staged in the order's folder and synced, as is what it takes the place of; then the
 * order's state says so; then each file is renamed into place. From the state on, whatever ends us, finishChange goes on. A step that fails takes all back.
 * The order's state is `changed` afterwards, or `ended` with the reason.
 * @throws OrderRefused for a path that no order may write to, and an error where it cannot be staged: nothing was changed then
 */
export async function changeSite(kit: SiteKit, folder: string, was: SiteManifest, wanted: Wanted): Promise<void> {
  const { places, onStep } = kit;
  await makeSite(places);
  const steps: ChangeStep[] = [];
  const all = [...wanted.files, ...wanted.removed.map((path) => ({ path, removed: true }) as const)];
  for (const [index, one] of all.entries()) {
    const before = await contentOf(await checkTarget(places, kit.uid, one.path));
    const after = 'removed' in one ? null : { sha256: one.sha256, mode: one.mode };
    if (!isDeepStrictEqual(before, after)) steps.push({ path: one.path, index, before, after });
  }
  onStep?.('stage');
  await stage(kit, folder, steps, wanted);
  const state = { phase: 'changing', change: { steps, was, becomes: wanted.becomes(was) } } as const;
  onStep?.('journal');
  await writeOrderState(folder, state);
  await finishChange(kit, folder, state);
}

export async function makeSite({ site }: Pick<Places, 'site'>): Promise<void> {
  for (const path of [site.root, site.plugins, site.settings, site.commands]) await makeFolder(path, 0o700);
}

/** Goes on with a change that was broken off, to its end or back. */
export async function finishChange(
  kit: SiteKit,
  folder: string,
  state: Extract<OrderState, { phase: 'changing' | 'undoing' }>,
): Promise<void> {
  const { change } = state;
  if (state.phase === 'undoing') return undo(kit, folder, change, state.reason);
  try {
    await mark(kit, folder);
    for (const step of change.steps) {
      kit.onStep?.(`change ${step.path}`);
      await replace(kit, folder, step, 'new');
    }
    kit.onStep?.('sync');
    await settle(kit, change, change.becomes);
  } catch (error) {
    const reason = messageOf(error);
    kit.onStep?.('undo');
    await writeOrderState(folder, { phase: 'undoing', change, reason });
    return undo(kit, folder, change, reason);
  }
  await writeOrderState(folder, { phase: 'changed', steps: change.steps.map(sentenceOn) });
}

/** Goes on where somebody was ended while files were being exchanged: then site/ is of one piece again. The caller holds its lock. */
export async function mendSite(kit: SiteKit): Promise<void> {
  const folder = (await readHostile(join(kit.places.site.root, CHANGING), 4096))?.toString('utf8').trim();
  if (folder === undefined) return;
  const state = await readOrderState(folder);
  if (state?.phase === 'changing' || state?.phase === 'undoing') await finishChange(kit, folder, state);
  // ended after the state was written: all of it is there
  else await unlinkIfThere(join(kit.places.site.root, CHANGING));
}

/** Throws away what was staged; to be called once the order's state does not need it any more. */
export function forgetStaged(folder: string): void {
  for (const name of ['new', 'old']) rmSync(join(folder, name), { recursive: true, force: true });
}

async function undo(kit: SiteKit, folder: string, change: SiteChange, reason: string): Promise<void> {
  for (const step of [...change.steps].reverse()) {
    kit.onStep?.(`undo ${step.path}`);
    await replace(kit, folder, step, 'old');
  }
  kit.onStep?.('sync');
  await settle(kit, change, change.was);
  const outcome = { state: 'failed', reason: `${reason}; all is as it was before` } as const;
  await writeOrderState(folder, { phase: 'ended', steps: [], outcome, ran: [] });
}

async function stage(kit: SiteKit, folder: string, steps: readonly ChangeStep[], wanted: Wanted): Promise<void> {
  forgetStaged(folder);
  for (const name of ['new', 'old']) await makeFolder(join(folder, name), 0o700);
  for (const { path, index, before, after } of steps) {
    kit.onStep?.(`stage ${path}`);
    if (before !== null) {
      const bytes = await readHostile(join(kit.places.site.root, path), LARGEST_FILE);
      if (bytes === undefined) throw new Error(`cannot keep what stands at ${path}: it is gone`);
      await writeAtomically(join(folder, 'old', `${index}`), bytes, before.mode);
    }
    if (after === null) continue;
    const content = wanted.files[index]?.content ?? (await readVerified(folder, after.sha256));
    if (sha256Of(content) !== after.sha256) throw new Error(`cannot stage ${path}: it is not what it should be`);
    await writeAtomically(join(folder, 'new', `${index}`), content, after.mode);
  }
  await syncFolder(folder);
}

/** Each step may be done again: what is not staged any more is in place. */
async function replace(kit: SiteKit, folder: string, step: ChangeStep, side: 'new' | 'old'): Promise<void> {
  const target = join(kit.places.site.root, step.path);
  const wanted = side === 'new' ? step.after : step.before;
  if (wanted === null) return unlinkIfThere(target);
  try {
    renameSync(join(folder, side, `${step.index}`), target);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || (await contentOf(target))?.sha256 !== wanted.sha256) throw error;
  }
}

function sentenceOn({ path, before, after }: ChangeStep): string {
  if (after === null) return `${path}: removed`;
  return `${path}: ${before === null ? 'new' : 'replaced'}`;
}

/** Whoever reads site/ sees the mark, and waits for the lock, so that nobody takes a half changed one for somebody's doing. */
async function mark({ places, onStep }: SiteKit, folder: string): Promise<void> {
  onStep?.('mark');
  await writeAtomically(join(places.site.root, CHANGING), `${folder}\n`, 0o600);
}

async function settle({ places, onStep }: SiteKit, change: SiteChange, manifest: SiteManifest): Promise<void> {
  const folders = new Set(change.steps.map(({ path }) => dirname(join(places.site.root, path))));
  for (const path of folders) await syncFolder(path);
  onStep?.('manifest');
  await writeSiteManifest(places, manifest);
  onStep?.('unmark');
  await unlinkIfThere(join(places.site.root, CHANGING));
  onStep?.('state');
}

async function contentOf(target: string): Promise<ChangeStep['before']> {
  const bytes = await readHostile(target, LARGEST_FILE);
  if (bytes === undefined) return null;
  return { sha256: sha256Of(bytes), mode: lstatSync(target).mode & 0o777 };
}
