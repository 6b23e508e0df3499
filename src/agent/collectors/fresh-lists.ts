import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { type CollectorTools, type HostAccess, UNKNOWN } from '../collector.ts';
import { installedByRpm } from './dnf-updates.ts';
import { installedByPacman } from './pacman-updates.ts';
import { earliest } from './updates.ts';

const answer = v.union([v.boolean(), v.literal(UNKNOWN)]);

const lists = v.strictObject({
  family: v.picklist(['dnf', 'pacman']),
  /** when the servers were asked for them */
  confirmed_at: v.pipe(v.string(), v.isoTimestamp()),
  /** what was installed then (`installedOn`) */
  installed: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  patches: answer,
  security_patches: answer,
});

/** What lists say that were fetched for the agent alone. Which packages are installed is nothing that is taken from there. */
export type FreshLists = v.InferOutput<typeof lists>;

/** @returns undefined where there are none, or what is there is something else */
export async function freshLists(
  tools: Pick<CollectorTools, 'left'>,
  family: FreshLists['family'],
): Promise<(FreshLists & { at: Date }) | undefined> {
  const left = await tools.left('package_lists');
  if (left === undefined || 'reason' in left) return undefined;
  const parsed = v.safeParse(lists, left.value);
  if (!parsed.success || parsed.output.family !== family) return undefined;
  // Not later than the answer, whatever it says: that would count for longer.
  const at = earliest([new Date(parsed.output.confirmed_at), left.at]);
  return at === undefined ? undefined : { ...parsed.output, at };
}

/** A digest of all packages with their versions: what was found out before an update says nothing after it. */
export async function installedOn(host: HostAccess, family: FreshLists['family']): Promise<string> {
  const packages = family === 'dnf' ? await installedByRpm(host) : await installedByPacman(host);
  return createHash('sha256').update(packages.join('\n')).digest('hex');
}
