import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { Clock } from '../../core/world.ts';
import type { Manifest, ManifestFile } from '../../wire/v2/order.ts';
import { LARGEST_OUTPUT } from '../../wire/v2/order-messages.ts';
import { withLock } from '../lock.ts';
import { makeFolder, type Places } from '../places.ts';
import { unlinkIfThere, writeAtomically } from '../write-atomically.ts';
import type { Accepted } from './accepted.ts';
import { commandsOf, timeoutOf } from './commands-of.ts';
import { type Ended, type Outcome, type Ran, readOrderState, writeOrderState } from './order-state.ts';
import { readVerified } from './read-verified.ts';
import { runScript } from './run-script.ts';
import { runWipe, type WipeKit } from './run-wipe.ts';
import { readSiteManifest, writeSiteManifest } from './site-manifest.ts';
import { tellOutcome } from './tell-outcome.ts';

/** What running an order's commands takes. */
export interface RunKit extends WipeKit {
  places: Pick<Places, 'site' | 'results' | 'inbox'>;
  clock: Clock;
  /** of the commands, but for what is each one's own */
  env: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

/** By this all that a command starts is found. */
const MARK = 'PENGUINDOME_ORDER';

/**
 * Does what an order wants done apart from the agent's own runs: a wipe (run-wipe.ts), or its commands, one after the other up to the first that
 * fails, and tells what came of them. Each is run at most once, whatever happens: that it is about to run is on disk before. Does nothing for
 * an order that is not to be started, or that somebody else runs.
 */
export async function runOrder(accepted: Accepted, kit: RunKit): Promise<void> {
  await withLock(join(accepted.folder, '.lock'), 'run an order', () => runLocked(accepted, kit));
}

async function runLocked(accepted: Accepted, kit: RunKit): Promise<void> {
  const { manifest, folder } = accepted;
  const state = await readOrderState(folder);
  if (state?.phase !== 'starting') return;
  if (manifest.kind === 'wipe' || manifest.kind === 'unlock') return runWipe(accepted, manifest, kit);
  const { steps } = state;
  const { id: order, kind, by, why } = manifest;
  const commands = commandsOf(manifest);
  await kit.results.receipt({ order, kind, by, why, event: 'started', detail: commands.map(nameOf).join(', ') });
  await kit.results.report(order, { state: 'running' });
  const ran: Ran[] = [];
  for (const command of commands) {
    await writeOrderState(folder, { phase: 'running', boot: kit.boot, steps, ran, path: command.path });
    ran.push(await runOne(accepted, command, { ...kit, keep: LARGEST_OUTPUT - largestOf(ran) }));
    if (ran.at(-1)?.reason !== undefined) break;
  }
  const ended: Ended = {
    phase: 'ended',
    steps: [...steps, ...keptOf(ran, folder)],
    ran,
    outcome: outcomeOf(ran, commands),
  };
  await writeOrderState(folder, ended);
  await tellOutcome(accepted, ended, kit.results);
}

/** The copy that is run is made of what the digest was checked of just now, in a folder of root's alone. */
async function runOne(
  { manifest, folder }: Accepted,
  command: ManifestFile,
  kit: RunKit & { keep: number },
): Promise<Ran> {
  const { path, sha256 } = command;
  const own = join(folder, 'commands');
  const program = join(own, nameOf(command));
  try {
    await makeFolder(own, 0o700);
    await writeAtomically(program, await readVerified(folder, sha256), 0o700);
  } catch (error) {
    const nothing = { text: '', bytes: 0, truncated: false };
    return { path, reason: messageOf(error), duration_ms: 0, stdout: nothing, stderr: nothing };
  }
  const env = { ...kit.env, [MARK]: manifest.id };
  const timeout = timeoutOf(manifest) * 1000;
  const result = await runScript({ ...kit, path: program, timeout, env, mark: MARK });
  if (result.reason === undefined) {
    rmSync(program, { force: true });
    // Left there, it is not run again either: that it was run is known.
    if (manifest.kind !== 'command') await takeFromSite(manifest, command, kit.places).catch(() => undefined);
  }
  return { path, ...result };
}

/** A command that did its work goes from where a patch or a release put it, unless another one is there by now. */
async function takeFromSite({ id }: Manifest, { path, sha256 }: ManifestFile, places: RunKit['places']): Promise<void> {
  await withLock(places.site.lock, 'change the site folder', async () => {
    const manifest = await readSiteManifest(places);
    const { [path]: there, ...others } = manifest.files;
    if (there?.order !== id || there.sha256 !== sha256) return;
    await unlinkIfThere(join(places.site.root, path));
    await writeSiteManifest(places, { ...manifest, files: others });
  });
}

/** A report has room for one command's outputs: all of an order share it. */
function largestOf(ran: readonly Ran[]): number {
  const kept = (output: 'stdout' | 'stderr') =>
    ran.reduce((sum, one) => sum + Math.min(one[output].bytes, LARGEST_OUTPUT), 0);
  return Math.min(LARGEST_OUTPUT, Math.max(kept('stdout'), kept('stderr')));
}

function outcomeOf(ran: readonly Ran[], commands: readonly ManifestFile[]): Outcome {
  const failed = ran.find(({ reason }) => reason !== undefined);
  if (failed === undefined) return { state: 'done' };
  if (commands.length === 1) return { state: 'failed', reason: `${failed.reason}` };
  const left = commands.length - ran.length;
  return {
    state: 'failed',
    reason: `${failed.path}: ${failed.reason}${left === 0 ? '' : `; ${left} more were not run`}`,
  };
}

function keptOf(ran: readonly Ran[], folder: string): string[] {
  return ran.flatMap(({ path, reason }) =>
    reason === undefined ? [] : [`${path}: kept as ${join(folder, path)}, to be looked at`],
  );
}

function nameOf({ path }: ManifestFile): string {
  return path.slice('commands/'.length);
}
