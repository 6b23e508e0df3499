import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';
import { type AnswerKeys, followRotations } from '../crypto/answer-keys.ts';
import { loadSigningKey, type SigningKey } from '../crypto/ed25519.ts';
import { readChain, type SignedRotation } from '../wire/v2/answer-keys.ts';
import { readCredential } from './read-secret.ts';

/** The public history of the answer keys. To write it whole is what makes a rotation; each key has a file of its own. */
export const ROTATIONS = 'rotations.json';

/** The file that holds the secret key of this number, in the folder of keys or in $CREDENTIALS_DIRECTORY. */
export function answerKeyFile(number: number): string {
  return number === 0 ? 'answer.key' : `answer-${number}.key`;
}

/** A server signs with so many replaced keys at most; agents that know only older ones follow the rotations. */
const MOST_OLDER = 3;

/**
 * All keys that this server signs answers with, as the rotations on disk say.
 * @param credentials $CREDENTIALS_DIRECTORY, where systemd gave one
 * @throws OperatorError naming the file that is missing, readable by others, no key, or not the key of its number
 */
export async function loadAnswerKeys({ keys }: { keys: string }, credentials?: string): Promise<AnswerKeys> {
  const rotations = await readRotations(keys);
  const read = (number: number) => readKey({ keys, credentials, rotations }, number);
  const number = rotations.length;
  const key = await read(number).catch((cause: unknown) => {
    if (number === 0 || !isMissing(cause)) throw cause;
    throw new OperatorError(
      `cannot find ${answerKeyFile(number)}: ${join(keys, ROTATIONS)} says that agents know that key; restore it from a backup`,
      { exitCode: 3, cause },
    );
  });
  if (key === undefined) throw new OperatorError('cannot find the answer key', { exitCode: 3 });
  const replaced = rotations.slice(-MOST_OLDER).reverse();
  const older = await Promise.all(
    replaced.map(async ({ statement }) => {
      const one = await read(statement.number - 1).catch(ignoreMissing);
      return one === undefined
        ? []
        : [{ number: statement.number - 1, key: one, until: new Date(statement.overlap_until) }];
    }),
  );
  return { newest: { number, key }, older: older.flat(), rotations };
}

/** The rotations of a server, verified; none where it has not rotated yet. @throws OperatorError where the file is damaged */
export async function readRotations(keys: string): Promise<SignedRotation[]> {
  const file = join(keys, ROTATIONS);
  const bytes = await readFile(file).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new OperatorError(`cannot read ${file}: ${messageOf(cause)}`, { exitCode: 3, cause });
  });
  if (bytes === undefined) return [];
  const read = readChain(bytes);
  const [start] = read.ok ? read.value : [];
  if (!read.ok || start === undefined) throw damaged(file, read.ok ? 'it holds no rotation' : read.reason);
  const followed = followRotations({ first: { number: 0, key: start.statement.old_key }, rotations: [] }, read.value);
  if (!followed.ok) throw damaged(file, followed.reason);
  return read.value;
}

interface Source {
  keys: string;
  credentials: string | undefined;
  rotations: readonly SignedRotation[];
}

async function readKey({ keys, credentials, rotations }: Source, number: number): Promise<SigningKey | undefined> {
  const name = answerKeyFile(number);
  const secret = await readCredential(name, credentials, join(keys, name));
  if (secret === undefined) return undefined;
  const key = parse(secret);
  const expected = rotations[number - 1]?.statement.new_key ?? rotations[0]?.statement.old_key;
  if (expected !== undefined && key.publicKey !== expected) {
    throw new OperatorError(
      `cannot use ${secret.file}: it is not answer key number ${number} of ${join(keys, ROTATIONS)}; put the right one there`,
      { exitCode: 3 },
    );
  }
  return key;
}

function parse({ file, text }: { file: string; text: string }): SigningKey {
  try {
    return loadSigningKey(text);
  } catch (cause) {
    // The cause's own words may quote the key: they stay out of the message.
    throw new OperatorError(`cannot use ${file}: it is no Ed25519 private key in PEM`, { exitCode: 3, cause });
  }
}

/** A key whose time is over may be gone. */
function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

function damaged(file: string, reason: string): OperatorError {
  return new OperatorError(`cannot use ${file}: ${reason}; restore it from a backup`, { exitCode: 3 });
}
