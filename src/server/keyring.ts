import type { KeyId } from '../core/host.ts';
import type { VerificationKey } from '../crypto/ed25519.ts';
import { importPublicKey } from '../crypto/ed25519-sodium.ts';
import type { Store } from '../store/port.ts';

/** A key that has enrolled, revoked or not: that is for the store's guarded write to say. */
export interface KnownKey {
  key: VerificationKey;
  /** of its host when the key was looked up: for logs and issues, never to decide by */
  hostname: string;
}

export interface Keyring {
  find(id: KeyId): Promise<KnownKey | undefined>;
}

/** About 400 bytes each. A fleet that is larger by one would find none of its keys kept: all hosts come in turn. */
const CACHED_KEYS = 100_000;

/** Public keys by key id. A key id is the hash of its key, so what was found once stays true: it may be kept. */
export function createKeyring(store: Pick<Store, 'hosts' | 'enrollments'>): Keyring {
  const cache = new Map<KeyId, Cached>();
  let filled = false;
  const keep = (id: KeyId, found: Cached) => {
    cache.set(id, found);
    const [oldest] = cache.keys();
    if (cache.size > CACHED_KEYS && oldest !== undefined) cache.delete(oldest);
  };
  return {
    async find(id) {
      const cached = cache.get(id) ?? (await lookUp(store, id));
      if (cached === undefined) return undefined;
      cached.key ??= importPublicKey(cached.public_key);
      if (!cache.has(id)) keep(id, cached);
      if (!filled) {
        filled = true;
        // A fleet comes back within a minute of a restart: one query for all of it is cheaper than one for each.
        fill(store, cache).catch(() => {
          filled = false;
        });
      }
      return { key: cached.key, hostname: cached.hostname };
    },
  };
}

/** What was not asked for yet: read, not yet made a key. */
interface Cached {
  public_key: string;
  hostname: string;
  key?: VerificationKey;
}

async function fill(store: Pick<Store, 'hosts'>, cache: Map<KeyId, Cached>): Promise<void> {
  for await (const { key_id, public_key, hostname } of store.hosts.keys()) {
    if (cache.size >= CACHED_KEYS) return;
    if (!cache.has(key_id)) cache.set(key_id, { public_key, hostname });
  }
}

async function lookUp(store: Pick<Store, 'hosts' | 'enrollments'>, id: KeyId): Promise<Cached | undefined> {
  const found = (await store.hosts.findKey(id)) ?? (await store.enrollments.find(id));
  return found && { public_key: found.public_key, hostname: found.hostname };
}
