import { days } from '../../core/duration.ts';
import { latestTime, type TrustState } from './trust-state.ts';

/** How far the word of one signer may be ahead of what this host knows of the time: a wrong clock there must not end every order here. */
export const MOST_AHEAD = days(1);

/** The latest time seen signed, once this one is */
export function noteTime(state: Pick<TrustState, 'latest'>, signed: string, now: Date): string {
  const known = state.latest === null ? 0 : Date.parse(state.latest);
  const most = latestTime(state, now).getTime() + MOST_AHEAD;
  return new Date(Math.max(known, Math.min(Date.parse(signed), most))).toISOString();
}
