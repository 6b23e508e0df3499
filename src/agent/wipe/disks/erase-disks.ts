import { seconds } from '../../../core/duration.ts';
import type { Work } from '../plan.ts';
import type { RunTool } from '../tools.ts';
import { eraseHeader } from './erase-header.ts';
import type { ErasePlan } from './plan-erase.ts';

const LIMIT = { timeout: seconds(60) };

/** Makes volumes appear that lie on disks and are not in use: they may hold headers of their own. */
export async function wakeVolumes(run: RunTool): Promise<void> {
  await run('mdadm', ['--assemble', '--scan'], LIMIT);
  await run('vgchange', ['-a', 'y', '--quiet'], LIMIT);
  await run('udevadm', ['settle'], LIMIT);
}

/** @returns what could not be done */
export async function eraseDisks({ headers }: ErasePlan, { run, step }: Work): Promise<string[]> {
  const not: string[] = [];
  for (const header of headers) {
    const result = await eraseHeader(header, run);
    if (!result.erased) not.push(`${header.path} could not be erased: ${result.why}`);
    else if (result.how === 'cryptsetup')
      await step(`erased ${header.path}: no key slot is left, and nothing opens it`);
    else await step(`wrote over the header of ${header.path}: cryptsetup could not erase it`);
  }
  return not;
}
