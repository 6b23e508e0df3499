import { lstat } from 'node:fs/promises';
import type { Places } from '../places.ts';

/**
 * Who asks outside: this user, or another one, whose folder is there (packages make it, for a user who has nothing else). Root never writes
 * into the folder of another user, and nobody but its owner's answers lie there.
 */
export async function whoAsks({ online }: Pick<Places, 'online'>, uid: number): Promise<'we' | 'another'> {
  return lstat(online.root).then(
    (facts) => (facts.uid === uid ? 'we' : 'another'),
    () => 'we',
  );
}
