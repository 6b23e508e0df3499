import type { Store } from '../store/port.ts';

/** Closes the issue `duplicate-hostname` once no other machine waits for that name. */
export async function closeDuplicate(store: Store, hostname: string, at: Date): Promise<void> {
  const waiting = (await store.enrollments.list()).some(
    (each) => each.hostname === hostname && each.status === 'pending',
  );
  if (!waiting) await store.issues.close(hostname, 'duplicate-hostname', at);
}
