import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { loadJudge } from '../audit/judge.ts';
import { checkConfig } from '../server/check-config.ts';
import { type Place, tryListening } from '../server/listening.ts';
import { closedEndpoints } from '../server/login/closed-endpoints.ts';
import { type Accounts, findUnknownNames, loadAccounts } from '../settings/accounts.ts';
import { loadServerSettings } from '../settings/load-server-settings.ts';
import { readHolidays } from '../settings/read-holidays.ts';
import { loadServerSecrets, loadStorePassword } from '../settings/server-secrets.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { openStore } from '../store/open.ts';
import { readV1Keys } from './load-server.ts';
import { PRODUCT_CHECKS } from './product-checks.ts';
import { systemClock, systemRandom } from './world.ts';

/**
 * Tries out all that the server needs, and changes nothing where that can be helped: an embedded store is looked at, not opened.
 * @returns lines for the operator
 * @throws OperatorError for settings that cannot be read
 */
export async function checkServer(
  file: string,
  credentials: string | undefined,
): Promise<{ problems: string[]; remarks: string[] }> {
  const settings = await loadServerSettings(file);
  const taken: string[] = [];
  const logins: string[] = [];
  const { problems, remarks } = await checkConfig(settings, {
    clock: systemClock,
    trials: [
      ...placesOf(settings).map((place) => ({ what: 'ports', try: () => tryPort(place, taken) })),
      { what: 'keys', try: () => loadServerSecrets(settings, credentials) },
      { what: 'accounts', try: async () => logins.push(...remarkAccess(settings, await loadAccounts(settings))) },
      { what: 'v1', try: () => readV1Keys(settings) },
      { what: 'state', try: () => access(settings.state, constants.W_OK | constants.X_OK) },
      { what: 'store', try: () => tryStore(settings.store, credentials) },
    ],
  });
  const { problems: unusable } = await loadJudge([PRODUCT_CHECKS, ...settings.checks], {
    profile: settings.checks_profile,
    advisories: settings.advisories,
  });
  const { problems: holidays } = await readHolidays(settings.audit.business.holiday_files, systemClock.now());
  remarks.push(
    ...taken,
    ...logins,
    ...holidays,
    ...unusable.map(({ file, line, reason }) => `${file}${line ? `:${line}` : ''}: ${reason}`),
  );
  return { problems, remarks };
}

function remarkAccess(settings: ServerSettings, accounts: Accounts): string[] {
  const names = findUnknownNames(settings.server_auth, accounts);
  return [
    ...closedEndpoints(settings, accounts).map(
      (each) => `server_auth.${each} is not set: nobody may use that endpoint`,
    ),
    ...names.map(({ where, name }) => `${where}: there is no ${name} in ${settings.accounts}`),
  ];
}

function placesOf({ ports, local_port }: ServerSettings): Place[] {
  const outside = ports.map(({ port, host }) => ({ port, ...(host === undefined ? {} : { host }) }));
  return [...outside, { port: local_port, host: '127.0.0.1' }];
}

/** A port that is taken is no problem yet: it may well be by the server that runs with these settings. */
async function tryPort(place: Place, taken: string[]): Promise<void> {
  if (await tryListening(place)) return;
  taken.push(`port ${place.port} is in use now: by this server, or it would not start`);
}

async function tryStore(store: ServerSettings['store'], credentials: string | undefined): Promise<void> {
  if (store.kind === 'embedded') {
    // SQLite writes beside the file too.
    await access(dirname(store.file), constants.W_OK | constants.X_OK);
    const exists = await access(store.file).then(
      () => true,
      () => false,
    );
    if (exists) {
      await access(store.file, constants.R_OK | constants.W_OK);
      await requireDatabase(store.file);
    }
    return;
  }
  const password = await loadStorePassword(store, credentials);
  const world = { clock: systemClock, random: systemRandom };
  const opened = await openStore(store, password === undefined ? world : { ...world, password });
  await opened.state().finally(() => opened.close());
}

/** What every SQLite file begins with (sqlite.org/fileformat2.html section 1.3.1); an empty one becomes a database. */
const MAGIC = 'SQLite format 3\0';

async function requireDatabase(file: string): Promise<void> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    if (bytesRead > 0 && buffer.toString('latin1') !== MAGIC) {
      throw new Error(`cannot use ${file}: it is no SQLite database`);
    }
  } finally {
    await handle.close();
  }
}
