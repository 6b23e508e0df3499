import { days } from '../../core/duration.ts';
import { signedTime, type TrustState } from './trust-state.ts';

/** How far the word of a signer may be ahead of this host's clock: a wrong clock there, or many small lies, must not end every order here. */
export const MOST_AHEAD = days(1);

/** The latest time seen signed, once this one is; no chain of signed times leads further ahead than one. @param now by this host's clock */
export function noteTime(state: Pick<TrustState, 'latest'>, signed: string, now: Date): string {
  const most = now.getTime() + MOST_AHEAD;
  return new Date(Math.max(signedTime(state).getTime(), Math.min(Date.parse(signed), most))).toISOString();
}
