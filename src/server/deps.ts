import type { Judge } from '../core/check.ts';
import type { Log } from '../core/events.ts';
import type { HostId, KeyId } from '../core/host.ts';
import type { Clock, Random } from '../core/world.ts';
import type { SigningKey } from '../crypto/ed25519.ts';
import type { VerificationKeys } from '../crypto/openpgp.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { Store } from '../store/port.ts';
import type { StoreWatch } from './store-watch.ts';

/** The append-only list of identities outside the store: what a restored backup is checked against. */
export interface IdentityRecorder {
  enrolled(record: { key_id: KeyId; host_id: HostId; hostname: string; at: Date }): Promise<void>;
}

/** What the endpoints are built from. Settings, judge and keys are asked for anew by each request: SIGHUP replaces them. */
export interface ServerDeps {
  store: Store;
  watch: StoreWatch;
  settings: () => ServerSettings;
  judge: () => Judge;
  /** keys that v1 clients sign with; empty while v1 is off */
  v1Keys: () => VerificationKeys;
  answerKey: SigningKey;
  identities: IdentityRecorder;
  clock: Clock;
  random: Random;
  log: Log;
}
