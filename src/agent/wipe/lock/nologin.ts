import { readHostile } from '../../read-hostile.ts';
import { unlinkIfThere, writeAtomically } from '../../write-atomically.ts';
import { NOLOGIN } from './read-lock-facts.ts';

/** pam_nologin(8): what is in it is shown to whoever tries. */
const TEXT = 'This machine was locked by its administrator.\n';

export async function makeNologin(): Promise<void> {
  await writeAtomically(NOLOGIN, TEXT, 0o644);
}

/** Somebody else's stays. */
export async function removeNologin(): Promise<void> {
  const text = (await readHostile(NOLOGIN, 64 * 1024))?.toString('utf8');
  if (text === TEXT) await unlinkIfThere(NOLOGIN);
}
