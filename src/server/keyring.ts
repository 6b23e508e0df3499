import type { KeyObject } from 'node:crypto';
import type { KeyId } from '../core/host.ts';
import { importPublicKey } from '../crypto/ed25519.ts';
import type { Store } from '../store/port.ts';

/** A key that has enrolled, revoked or not: that is for the store's guarded write to say. */
export interface KnownKey {
  key: KeyObject;
  /** of its host when the key was looked up: for logs and issues, never to decide by */
  hostname: string;
}

export interface Keyring {
  find(id: KeyId): Promise<KnownKey | undefined>;
}

const CACHED_KEYS = 20_000;

/** Public keys by key id. A key id is the hash of its key, so what was found once stays true: it may be kept. */
export function createKeyring(store: Pick<Store, 'hosts' | 'enrollments'>): Keyring {
  const cache = new Map<KeyId, KnownKey>();
  return {
    async find(id) {
      const cached = cache.get(id);
      if (cached !== undefined) return cached;
      const found = await lookUp(store, id);
      if (found === undefined) return undefined;
      const known = { key: importPublicKey(found.public_key), hostname: found.hostname };
      cache.set(id, known);
      const [oldest] = cache.keys();
      if (cache.size > CACHED_KEYS && oldest !== undefined) cache.delete(oldest);
      return known;
    },
  };
}

async function lookUp(
  store: Pick<Store, 'hosts' | 'enrollments'>,
  id: KeyId,
): Promise<{ public_key: string; hostname: string } | undefined> {
  return (await store.hosts.findKey(id)) ?? store.enrollments.find(id);
}
