import { type CollectorTools, UNKNOWN } from '../collector.ts';

/**
 * What was seen now, kept for when it cannot be seen; then what was seen last, with `cached_at`, the time of it.
 * @param seen undefined where it cannot be seen now
 * @returns undefined where it never was
 */
export async function seenOrKept<T extends object>(
  tools: CollectorTools,
  key: string,
  seen: T | undefined,
): Promise<unknown> {
  if (seen !== undefined) {
    await tools.keep(key, seen);
    return seen;
  }
  const kept = await tools.recall(key);
  if (kept === undefined) return undefined;
  return typeof kept.value === 'object' && kept.value !== null
    ? { ...kept.value, cached_at: kept.at.toISOString() }
    : UNKNOWN;
}
