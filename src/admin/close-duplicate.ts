import { isSameName } from '../core/host.ts';
import type { Store } from '../store/port.ts';

/** Closes the issue `duplicate-hostname` once no other machine waits for that name, however the host or they spell it. */
export async function closeDuplicate(store: Store, hostname: string, at: Date): Promise<void> {
  const waiting = (await store.enrollments.list()).some(
    (each) => each.status === 'pending' && isSameName(each.hostname, hostname),
  );
  if (waiting) return;
  const spellings = (await store.hosts.namesakes(hostname)).map((each) => each.hostname);
  for (const name of new Set([hostname, ...spellings])) await store.issues.close(name, 'duplicate-hostname', at);
}
