import type { BuiltInIssue } from '../core/issue.ts';
import type { AuditDeps } from './audit-deps.ts';
import type { Changes } from './changes.ts';

/**
 * Opens an issue that no check of a document raises for these hosts, and closes it for all others; for all, where it is switched off.
 * @param untouched hosts of which nothing can be said now: theirs stays as it is
 */
export async function raise(
  { store, checks }: Pick<AuditDeps, 'store' | 'checks'>,
  name: BuiltInIssue,
  hostnames: ReadonlySet<string>,
  at: Date,
  changes: Changes,
  untouched: ReadonlySet<string> = new Set(),
): Promise<void> {
  const off = checks.some((check) => check.name === name && !check.enabled);
  for (const hostname of off ? [] : hostnames) {
    if (await store.issues.open(hostname, name, at)) changes.note(hostname, { opened: [name] });
  }
  const over: string[] = [];
  for await (const { hostname } of store.issues.listOpen({ names: [name] })) {
    if (off || !(hostnames.has(hostname) || untouched.has(hostname))) over.push(hostname);
  }
  for (const hostname of over) {
    if (await store.issues.close(hostname, name, at)) changes.note(hostname, { closed: [name] });
  }
}
