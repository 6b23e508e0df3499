import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';
import { loadSigningKey, type SigningKey } from '../crypto/ed25519.ts';
import type { ServerSettings } from './server-settings.ts';

/** What the server knows and never shows: apart from the settings, which may be printed. */
export interface ServerSecrets {
  /** signs the answers to agents */
  answerKey: SigningKey;
  /** of the store's user; absent where the store needs none */
  mongoPassword?: string;
}

/** Names of files in $CREDENTIALS_DIRECTORY; each goes before the file that the settings name. */
const CREDENTIALS = { answerKey: 'answer.key', mongoPassword: 'mongo-password' };

const KEY_LIMIT = 64 * 1024;

/**
 * @param credentials $CREDENTIALS_DIRECTORY, where systemd gave one
 * @throws OperatorError naming the file that is missing, readable by others, or no key
 */
export async function loadServerSecrets(settings: ServerSettings, credentials?: string): Promise<ServerSecrets> {
  const mongoPassword = await loadStorePassword(settings.store, credentials);
  return {
    answerKey: await loadAnswerKey(settings, credentials),
    ...(mongoPassword === undefined ? {} : { mongoPassword }),
  };
}

/** The password alone: all that a command needs that opens the store. */
export async function loadStorePassword(
  store: ServerSettings['store'],
  credentials?: string,
): Promise<string | undefined> {
  if (store.kind !== 'mongo' || store.user === undefined) return undefined;
  const secret = await readCredential(CREDENTIALS.mongoPassword, credentials, store.password_file);
  if (secret === undefined) {
    throw new OperatorError(
      `cannot open the store as ${store.user}: name its password's file with store.password_file, or pass the credential ${CREDENTIALS.mongoPassword}`,
      { exitCode: 3 },
    );
  }
  const password = secret.text.replace(/\r?\n$/, '');
  if (password === '') throw new OperatorError(`cannot use ${secret.file}: it is empty`, { exitCode: 3 });
  return password;
}

async function loadAnswerKey({ keys }: ServerSettings, credentials?: string): Promise<SigningKey> {
  const secret = await readCredential(CREDENTIALS.answerKey, credentials, join(keys, 'answer.key'));
  if (secret === undefined) throw new OperatorError('cannot find the answer key', { exitCode: 3 });
  try {
    return loadSigningKey(secret.text);
  } catch (cause) {
    // The cause's own words may quote the key: they stay out of the message.
    throw new OperatorError(`cannot use ${secret.file}: it is no Ed25519 private key in PEM`, { exitCode: 3, cause });
  }
}

async function readCredential(
  name: string,
  credentials: string | undefined,
  file: string | undefined,
): Promise<{ file: string; text: string } | undefined> {
  if (credentials !== undefined) {
    const path = join(credentials, name);
    // systemd keeps that folder from everybody else: its files' own modes do not matter
    const text = await readSecretFile(path, { checkMode: false, missing: undefined });
    if (text !== undefined) return { file: path, text };
  }
  if (file === undefined) return undefined;
  const missing = `cannot read ${file}: it does not exist; run penguindome setup`;
  const text = await readSecretFile(file, { checkMode: true, missing });
  return text === undefined ? undefined : { file, text };
}

/** Mode and content of one and the same open file: it cannot be swapped between the check and the reading. */
async function readSecretFile(
  file: string,
  { checkMode, missing }: { checkMode: boolean; missing: string | undefined },
): Promise<string | undefined> {
  // O_NONBLOCK: a pipe in the file's place must not hold us up
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) {
      throw new OperatorError(`cannot read ${file}: ${messageOf(cause)}`, { exitCode: 3, cause });
    }
    if (missing !== undefined) throw new OperatorError(missing, { exitCode: 3, cause });
    return undefined;
  });
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > KEY_LIMIT) {
      throw new OperatorError(`cannot use ${file}: it is no small regular file`, { exitCode: 3 });
    }
    if (checkMode && (stats.mode & 0o077) !== 0) {
      const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
      throw new OperatorError(`cannot use ${file}: others may read it (mode ${mode}); run chmod 600 ${file}`, {
        exitCode: 3,
      });
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
