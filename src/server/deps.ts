import type { Judge } from '../core/check.ts';
import type { Log } from '../core/events.ts';
import type { Clock, Random } from '../core/world.ts';
import type { AnswerKeys } from '../crypto/answer-keys.ts';
import type { VerificationKeys } from '../crypto/openpgp.ts';
import type { Passwords } from '../crypto/passwords.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { IdentityLog } from '../store/identity-log.ts';
import type { Store } from '../store/port.ts';
import type { Access } from './login/access.ts';
import type { Shared } from './shared.ts';
import type { StoreWatch } from './store-watch.ts';

/** What the endpoints are built from. Settings, judge and keys are asked for anew by each request: SIGHUP replaces them. */
export interface ServerDeps {
  store: Store;
  watch: StoreWatch;
  settings: () => ServerSettings;
  judge: () => Judge;
  /** keys that v1 clients sign with; empty while v1 is off */
  v1Keys: () => VerificationKeys;
  answerKeys: () => AnswerKeys;
  /** armored, public; undefined where the server has none */
  firstOrderKey: () => string | undefined;
  /** who may use the guarded endpoints */
  access: () => Access;
  passwords: Passwords;
  identities: Pick<IdentityLog, 'append'>;
  clock: Clock;
  random: Random;
  log: Log;
  shared: Shared;
}
