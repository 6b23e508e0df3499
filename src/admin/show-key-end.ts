import type { HostKey } from '../core/host.ts';
import { showTime } from './show-time.ts';

/** What limits a key, in words; undefined where nothing does. */
export function showKeyEnd({ revoked_at, ends_at }: HostKey, now: Date): string | undefined {
  if (revoked_at !== undefined) return `revoked ${showTime(revoked_at)}`;
  if (ends_at === undefined) return undefined;
  return ends_at > now ? `until ${showTime(ends_at)}: another one took over` : `ended ${showTime(ends_at)}`;
}
