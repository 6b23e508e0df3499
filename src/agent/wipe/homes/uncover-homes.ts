import { readFileSync } from 'node:fs';
import { seconds } from '../../../core/duration.ts';
import { type Mount, parseMounts } from '../../collectors/mounts.ts';
import type { RunTool } from '../tools.ts';
import { type Home, judgeHome } from './judge-home.ts';
import { awayBy, lookAt } from './look-at-homes.ts';
import type { DoomedHome, HomesFacts } from './plan-homes.ts';

/**
 * Homes over which their owners have mounted something of their own (FUSE needs no root): who did that to be left alone is not. The kernel says
 * who mounted it; what the administrator mounts is root's, and stays.
 */
export function coveredHomes(homes: readonly Home[], mounts: readonly Mount[]): Home[] {
  return homes.filter(({ path, facts, of }) => {
    const isTheirs = ({ mountpoint, type, options }: Mount) =>
      mountpoint === path && /^fuse(?:blk)?(?:\.|$)/.test(type) && of.some((uid) => options.includes(`user_id=${uid}`));
    return facts.kind === 'away' && mounts.some(isTheirs);
  });
}

/** One may lie on another. */
const MOST_LAYERS = 20;

/** Takes the covers off. Their owners' processes have been ended. @returns the homes below, and what could not be done */
export async function uncoverHomes(
  covered: readonly Home[],
  { people: { persons }, keep }: Pick<HomesFacts, 'people' | 'keep'>,
  run: RunTool,
): Promise<{ homes: DoomedHome[]; not: string[] }> {
  const [homes, not]: [DoomedHome[], string[]] = [[], []];
  for (const { path, of } of covered) {
    for (let layer = 0; layer < MOST_LAYERS; layer++) {
      if (coveredHomes([{ path, of, facts: { kind: 'away', type: 'fuse' } }], readMounts()).length === 0) break;
      // By its name as it is: nothing answers any more that could be asked for a better one.
      await run('umount', ['--lazy', '--no-canonicalize', '--', path], { timeout: seconds(20) });
    }
    const verdict = judgeHome({ path, of, facts: lookAt(path, awayBy(readMounts())) }, { persons, keep });
    if (verdict.remove) homes.push({ path: verdict.path, named: path, of });
    else not.push(`the home ${path} is still there: ${verdict.why}`);
  }
  return { homes, not };
}

function readMounts(): Mount[] {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
}
