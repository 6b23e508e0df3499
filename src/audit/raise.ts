import type { BuiltInIssue } from '../core/issue.ts';
import type { AuditDeps } from './audit-deps.ts';
import type { Changes } from './changes.ts';
import { eachOf } from './each-of.ts';

/**
 * Opens an issue that no check of a document raises for these hosts, and closes it for all others; for all, where it is switched off.
 * @param hosts host → when what shows it came: one that an operator closed since stays closed
 * @param untouched hosts of which nothing can be said now: theirs stays as it is
 */
export async function raise(
  { store, checks, signal }: Pick<AuditDeps, 'store' | 'checks' | 'signal'>,
  name: BuiltInIssue,
  hosts: ReadonlyMap<string, Date>,
  at: Date,
  changes: Changes,
  untouched: ReadonlySet<string> = new Set(),
): Promise<void> {
  const off = checks.some((check) => check.name === name && !check.enabled);
  const open = new Set<string>();
  for await (const { hostname } of store.issues.listOpen({ names: [name] })) open.add(hostname);
  const wanted = off ? [] : [...hosts].filter(([hostname]) => !open.has(hostname));
  const over = [...open].filter((hostname) => off || !(hosts.has(hostname) || untouched.has(hostname)));
  const begin = async ([hostname, shown_at]: [string, Date]) => {
    if (await store.issues.open(hostname, name, at, shown_at)) changes.note(hostname, { opened: [name] });
  };
  const end = async (hostname: string) => {
    if (await store.issues.close(hostname, name, at)) changes.note(hostname, { closed: [name] });
  };
  await eachOf(wanted, begin, { signal });
  await eachOf(over, end, { signal });
}
