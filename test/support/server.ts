import { readFile } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { makeJudge } from '../../src/audit/judge.ts';
import type { Judge } from '../../src/core/check.ts';
import type { EventName } from '../../src/core/events.ts';
import type { Clock } from '../../src/core/world.ts';
import { type AnswerKeys, onlyAnswerKey } from '../../src/crypto/answer-keys.ts';
import { generateSigningKey, loadSigningKey, type SigningKey } from '../../src/crypto/ed25519.ts';
import { readPublicKeys } from '../../src/crypto/openpgp.ts';
import type { Passwords } from '../../src/crypto/passwords.ts';
import { createLog } from '../../src/server/log.ts';
import { compileAccess } from '../../src/server/login/access.ts';
import { readPorts } from '../../src/server/port-settings.ts';
import { type Loaded, type RunningServer, startServer } from '../../src/server/start-server.ts';
import { parseAccounts } from '../../src/settings/accounts.ts';
import { readPasswordUpgrades } from '../../src/settings/password-upgrades.ts';
import { type ServerSettings, serverSettings } from '../../src/settings/server-settings.ts';
import type { IdentityEvent, IdentityLog } from '../../src/store/identity-log.ts';
import type { Store } from '../../src/store/port.ts';
import { temporaryStore } from './stores.ts';
import { realClock, realRandom } from './world.ts';

/** One line of the log, parsed. */
export interface LoggedEvent {
  event: EventName;
  level: string;
  [field: string]: unknown;
}

export interface TestServer {
  /** of the first port of the settings */
  url: string;
  /** of the local port */
  localUrl: string;
  /** of any port, in the order of the settings; the local one is last */
  urls: string[];
  store: Store;
  answerKey: SigningKey;
  running: RunningServer;
  settings: ServerSettings;
  /** what was logged so far, in order */
  logged: LoggedEvent[];
  /** those of one name */
  events(name: EventName): LoggedEvent[];
  identities: IdentityEvent[];
  /** Reads other settings, as a SIGHUP does. */
  reload(settings: Record<string, unknown>): Promise<boolean>;
  /** Reads another accounts file, as a SIGHUP does. */
  reloadAccounts(text: string): Promise<boolean>;
  /** Reads other answer keys, as a SIGHUP does. */
  rotateTo(next: AnswerKeys): Promise<boolean>;
}

export interface TestServerOptions {
  /** over those of a server with one plain port and v1 off */
  settings?: Record<string, unknown>;
  store?: Store;
  /** told as well */
  identities?: Pick<IdentityLog, 'append'>;
  clock?: Clock;
  judge?: Judge;
  /** armored public keys; v1 is on where they are given */
  v1Keys?: string;
  /** armored, public */
  firstOrderKey?: string;
  /** the accounts file */
  accounts?: string;
  /** that counts, say */
  passwords?: Passwords;
}

/** The server's own parts in this process, over a real store, on free ports of 127.0.0.1; stopped after the test. */
export async function startTestServer(t: ExecutionContext, options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = realClock, judge = makeJudge([]) } = options;
  const store = options.store ?? (await temporaryStore(t, 'embedded', { clock }));
  const logged: LoggedEvent[] = [];
  const log = createLog({ write: (line: string) => void logged.push(JSON.parse(line)) }, 'debug');
  const answerKey = loadSigningKey(generateSigningKey());
  let answerKeys = onlyAnswerKey(answerKey);
  const { firstOrderKey } = options;
  let accounts = options.accounts ?? '';
  const v1Keys = options.v1Keys === undefined ? [] : await readPublicKeys(options.v1Keys);
  const load = async (given: Record<string, unknown>): Promise<Loaded> => {
    const settings = testSettings({ ...(options.v1Keys === undefined ? {} : { v1: { enabled: true } }), ...given });
    const access = compileAccess({
      auth: settings.server_auth,
      accounts: parseAccounts(accounts, 'accounts.yml'),
      upgrades: await readPasswordUpgrades(settings.state),
    });
    return {
      settings,
      ports: await readPorts(settings),
      judge,
      v1Keys,
      answerKeys,
      access,
      ...(firstOrderKey && { firstOrderKey }),
    };
  };
  const identities: IdentityEvent[] = [];
  const first = await load(options.settings ?? {});
  const running = await startServer(
    {
      store,
      identities: {
        append: async (event) => {
          identities.push(event);
          await options.identities?.append(event);
        },
      },
      clock,
      random: realRandom,
      log,
      ...(options.passwords === undefined ? {} : { passwords: options.passwords }),
    },
    first,
    new AbortController().signal,
  );
  t.teardown(() => running.stop());
  const urls = running
    .ports()
    .map(({ port }, index) => `${first.ports[index]?.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`);
  return {
    url: urls[0] ?? '',
    localUrl: urls.at(-1) ?? '',
    urls,
    store,
    answerKey,
    running,
    settings: first.settings,
    logged,
    events: (name) => logged.filter(({ event }) => event === name),
    identities,
    reload: (settings) => running.reload(() => load(settings)),
    reloadAccounts: (text) => {
      accounts = text;
      return running.reload(() => load(options.settings ?? {}));
    },
    rotateTo: (next) => {
      answerKeys = next;
      return running.reload(() => load(options.settings ?? {}));
    },
  };
}

/** Complete settings; what belongs on a disk is named and not there. */
export function testSettings(given: Record<string, unknown>): ServerSettings {
  return serverSettings.parse({
    public_url: 'http://127.0.0.1',
    ports: [{ port: 0, host: '127.0.0.1', tls: false }],
    local_port: 0,
    store: { kind: 'embedded', file: '/nonexistent/penguindome.db' },
    state: '/nonexistent/state',
    pki: '/nonexistent/pki',
    keys: '/nonexistent/keys',
    ...given,
  });
}

/** The key that the recorded v1 client signed with. */
export function fixtureClientKey(): Promise<string> {
  return readFile('test/fixtures/penguindome-v1/client-public.asc', 'utf8');
}
