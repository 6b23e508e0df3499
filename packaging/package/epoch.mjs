import { readFile } from 'node:fs/promises';
import { root } from '../install.mjs';
import { output } from './output.mjs';

/** https://reproducible-builds.org/specs/source-date-epoch/ */
export async function epochOf() {
  const { SOURCE_DATE_EPOCH } = process.env;
  if (SOURCE_DATE_EPOCH !== undefined) return Number(SOURCE_DATE_EPOCH);
  try {
    return Number(output('git', ['-C', root, 'log', '-1', '--format=%ct']));
  } catch {
    // sources without their history
    const changes = await readFile(`${root}debian/changelog`, 'utf8');
    return new Date(/^ -- .*> {2}(.*)$/m.exec(changes)?.[1]).getTime() / 1000;
  }
}
