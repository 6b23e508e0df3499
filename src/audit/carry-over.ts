import type { Judgement } from '../core/check.ts';
import type { Host } from '../core/host.ts';
import { consequencesOf } from '../core/judged.ts';
import type { Store } from '../store/port.ts';
import type { Changes } from './changes.ts';

/**
 * Opens and closes the issues that a host's judgement calls for, and marks it carried over.
 * Where a report came meanwhile, its judgement may have been carried over before ours: then the present one is, again.
 * @param previous what was said before, where that is known: a check that no longer answers closes its issue
 */
export async function carryOver(
  store: Store,
  host: Pick<Host, 'hostname' | 'checks' | 'submitted_at'>,
  previous: Judgement | undefined,
  at: Date,
  changes: Changes,
): Promise<void> {
  for (
    let judged: typeof host | undefined = host;
    judged?.checks !== undefined;
    judged = await store.hosts.find(host.hostname)
  ) {
    const { failing, passing } = consequencesOf(judged.checks, previous);
    changes.note(host.hostname, await store.issues.reconcile(host.hostname, failing, passing, at, judged.submitted_at));
    if (await store.hosts.settle(host.hostname, judged.checks.evaluated_at)) return;
  }
}
