import { lstat } from 'node:fs/promises';
import type { Places } from '../places.ts';

/** The user whose agent this is: root or, with --state, whoever owns that folder. -1 where there is none yet */
export function stateOwner({ state }: Pick<Places, 'state'>): Promise<number> {
  return lstat(state).then(
    ({ uid }) => uid,
    () => -1,
  );
}
