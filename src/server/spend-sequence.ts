import { Refusal } from '../core/errors.ts';
import type { Host, Identity } from '../core/host.ts';
import type { Clock } from '../core/world.ts';
import type { Speaker, Store } from '../store/port.ts';

/**
 * Uses up the request's sequence number where nothing is stored with it.
 * @throws Refusal where the store knows better: revoked, pending, replayed
 */
export async function spendSequence(
  { store, clock }: { store: Pick<Store, 'hosts'>; clock: Clock },
  speaker: Speaker,
): Promise<Host & { identity: Identity }> {
  const spent = await store.hosts.spend(speaker, clock.now());
  switch (spent.outcome) {
    case 'spent':
      return spent.host;
    case 'replayed':
      throw replayed(spent.last, 'used');
    case 'pending':
      throw new Refusal('pending', 'cannot take anything from this host before an operator approves it', {
        detail: 'penguindome enrollment approve',
      });
    case 'revoked':
      throw new Refusal('revoked-key', 'cannot take anything signed by a revoked key');
    case 'unknown':
      throw new Refusal('unknown-key', 'cannot find a host with this key; enrol it first');
    default:
      return spent satisfies never;
  }
}

/** Says where the host's numbers stand; the answer's `time` says where they should. */
export function replayed(last: number, why: 'used' | 'ahead'): Refusal {
  return new Refusal(
    'replayed',
    why === 'used'
      ? 'cannot take a sequence number that is not above the last'
      : "cannot take a sequence number more than 5 minutes ahead of this server's clock",
    { extra: { last } },
  );
}
