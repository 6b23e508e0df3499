import { lstat } from 'node:fs/promises';
import { OperatorError } from '../../core/errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { Places } from '../places.ts';

/** The user whose agent this is: root or, with --state, whoever owns that folder. -1 where there is none yet */
export function stateOwner({ state }: Pick<Places, 'state'>): Promise<number> {
  return lstat(state).then(
    ({ uid }) => uid,
    () => -1,
  );
}

/** Whoever owns the folder could have put orders there as if they had been accepted: root acts on none of them. @throws OperatorError */
export async function needOwnState(places: Pick<Places, 'state'>, uid: number): Promise<void> {
  const owner = await stateOwner(places);
  if (owner === uid || owner === -1) return;
  throw new OperatorError(`cannot apply orders: ${places.state} belongs to user ${owner}; only that user may`, {
    exitCode: EXIT.usage,
  });
}
