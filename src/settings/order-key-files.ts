import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';
import { describeKeys, fingerprintOf } from '../crypto/openpgp.ts';
import { type OrderKey, serversWord, takeOrderKey } from '../crypto/order-trust.ts';
import { type OrderKeyStatement, readOrderKeyStatement } from '../wire/v2/order-key.ts';
import { type RevocationStatement, readRevocations } from '../wire/v2/revocations.ts';
import { FIRST_ORDER_KEY } from './first-order-key.ts';
import { readCredential } from './read-secret.ts';

/** The public history of the order keys. To write it whole is what makes a rotation; each secret key has a file of its own. */
export const ORDER_KEYS = 'order-keys.json';
/** The last list of revoked keys, as it was signed. Outside the store, so that no restored backup goes back behind it. */
export const REVOCATIONS = 'revocations.json';

/** The file that holds the secret key of this number, in the folder of keys. */
export function orderKeyFile(number: number): string {
  return number === 0 ? 'order.asc' : `order-${number}.asc`;
}

export interface OrderKeys {
  first: OrderKey;
  /** the one that signs now */
  present: OrderKey;
  statements: OrderKeyStatement[];
}

/** The order keys of this server, each vouched for by the one before. @throws OperatorError naming the file that is missing or damaged */
export async function loadOrderKeys({ keys }: { keys: string }, now: Date): Promise<OrderKeys> {
  const file = join(keys, FIRST_ORDER_KEY);
  const key = await readText(file);
  if (key === undefined) throw unusable(file, 'there is no such file; `penguindome setup` makes it');
  const fingerprint = await fingerprintOf(key).catch((cause: unknown) => {
    throw unusable(file, messageOf(cause));
  });
  const first: OrderKey = { number: 0, fingerprint, key };
  const statements = await readStatements(join(keys, ORDER_KEYS));
  return { first, present: await follow(first, statements, join(keys, ORDER_KEYS), now), statements };
}

/** The secret half of the key that signs now. @throws OperatorError */
export async function loadOrderSecret({ keys }: { keys: string }, { number, fingerprint }: OrderKey): Promise<string> {
  const path = join(keys, orderKeyFile(number));
  const advice =
    number === 0 ? 'run penguindome setup' : `restore it from a backup: ${ORDER_KEYS} says that agents know that key`;
  const secret = await readCredential(orderKeyFile(number), undefined, path, advice).catch((cause: unknown) => {
    const denied =
      cause instanceof Error && cause.cause instanceof Error && 'code' in cause.cause && cause.cause.code === 'EACCES';
    throw denied ? unusable(path, 'it is not yours to read; orders are given as root') : cause;
  });
  if (secret === undefined) throw unusable(path, 'it cannot be found');
  const [found, ...others] = await describeKeys(secret.text).catch(() => []);
  if (found?.kind !== 'secret' || others.length > 0)
    throw unusable(path, 'it holds no secret key, or one with a passphrase');
  if (found.fingerprint !== fingerprint)
    throw unusable(path, `it is not order key number ${number}, ${fingerprint}; put the right one there`);
  return secret.text;
}

/** @returns undefined where no key was revoked yet. @throws OperatorError where the file is damaged */
export async function loadRevocations({ keys }: { keys: string }): Promise<RevocationStatement | undefined> {
  const file = join(keys, REVOCATIONS);
  const text = await readText(file);
  if (text === undefined) return undefined;
  const read = readRevocations(new TextEncoder().encode(text));
  if (!read.ok) throw unusable(file, `${read.reason}; restore it from a backup`);
  return read.value;
}

async function readStatements(file: string): Promise<OrderKeyStatement[]> {
  const text = await readText(file);
  if (text === undefined) return [];
  let list: unknown;
  try {
    list = Reflect.get(JSON.parse(text), 'statements');
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list)) throw unusable(file, 'it holds no list of statements; restore it from a backup');
  return list.map((one: unknown) => {
    const read = readOrderKeyStatement(new TextEncoder().encode(JSON.stringify(one)));
    if (!read.ok) throw unusable(file, `${read.reason}; restore it from a backup`);
    return read.value;
  });
}

/** As an agent does it that trusts the server's word. */
async function follow(first: OrderKey, statements: OrderKeyStatement[], file: string, now: Date): Promise<OrderKey> {
  let order = first;
  for (const statement of statements) {
    const taken = await takeOrderKey(serversWord(order), statement, now);
    if (!taken.ok) throw unusable(file, `${taken.reason}; restore it from a backup`);
    order = taken.trust.order;
  }
  return order;
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw unusable(file, messageOf(cause));
  });
}

function unusable(file: string, why: string): OperatorError {
  return new OperatorError(`cannot use ${file}: ${why}`, { exitCode: 3 });
}
