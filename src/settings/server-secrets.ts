import { OperatorError } from '../core/errors.ts';
import type { AnswerKeys } from '../crypto/answer-keys.ts';
import { loadAnswerKeys } from './answer-key-files.ts';
import { readCredential } from './read-secret.ts';
import type { ServerSettings } from './server-settings.ts';

/** What the server knows and never shows: apart from the settings, which may be printed. */
export interface ServerSecrets {
  /** sign the answers to agents */
  answerKeys: AnswerKeys;
  /** of the store's user; absent where the store needs none */
  mongoPassword?: string;
}

/** A file in $CREDENTIALS_DIRECTORY, which goes before the one that the settings name. */
const MONGO_PASSWORD = 'mongo-password';

/**
 * @param credentials $CREDENTIALS_DIRECTORY, where systemd gave one
 * @throws OperatorError naming the file that is missing, readable by others, or no key
 */
export async function loadServerSecrets(settings: ServerSettings, credentials?: string): Promise<ServerSecrets> {
  const mongoPassword = await loadStorePassword(settings.store, credentials);
  return {
    answerKeys: await loadAnswerKeys(settings, credentials),
    ...(mongoPassword === undefined ? {} : { mongoPassword }),
  };
}

/** The password alone: all that a command needs that opens the store. */
export async function loadStorePassword(
  store: ServerSettings['store'],
  credentials?: string,
): Promise<string | undefined> {
  if (store.kind !== 'mongo' || store.user === undefined) return undefined;
  const secret = await readCredential(MONGO_PASSWORD, credentials, store.password_file);
  if (secret === undefined) {
    throw new OperatorError(
      `cannot open the store as ${store.user}: name its password's file with store.password_file, or pass the credential ${MONGO_PASSWORD}`,
      { exitCode: 3 },
    );
  }
  const password = secret.text.replace(/\r?\n$/, '');
  if (password === '') throw new OperatorError(`cannot use ${secret.file}: it is empty`, { exitCode: 3 });
  return password;
}
