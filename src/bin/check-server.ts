import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { loadJudge } from '../audit/judge.ts';
import { checkConfig } from '../server/check-config.ts';
import { loadServerSettings } from '../settings/load-server-settings.ts';
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
  const problems = await checkConfig(settings, {
    clock: systemClock,
    trials: [
      { what: 'keys', try: () => loadServerSecrets(settings, credentials) },
      { what: 'v1', try: () => readV1Keys(settings) },
      { what: 'state', try: () => access(settings.state, constants.W_OK | constants.X_OK) },
      { what: 'store', try: () => tryStore(settings.store, credentials) },
    ],
  });
  const { problems: unusable } = await loadJudge([PRODUCT_CHECKS, ...settings.checks]);
  return { problems, remarks: unusable.map(({ file, line, reason }) => `${file}${line ? `:${line}` : ''}: ${reason}`) };
}

async function tryStore(store: ServerSettings['store'], credentials: string | undefined): Promise<void> {
  if (store.kind === 'embedded') {
    // SQLite writes beside the file too.
    await access(dirname(store.file), constants.W_OK | constants.X_OK);
    const exists = await access(store.file).then(
      () => true,
      () => false,
    );
    if (exists) await access(store.file, constants.R_OK | constants.W_OK);
    return;
  }
  const password = await loadStorePassword(store, credentials);
  const world = { clock: systemClock, random: systemRandom };
  const opened = await openStore(store, password === undefined ? world : { ...world, password });
  await opened.state().finally(() => opened.close());
}
