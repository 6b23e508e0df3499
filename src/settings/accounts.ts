import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import * as z from 'zod';
import { GUARDED, type GuardedEndpoint, isAccountName } from '../core/access.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import { readPasswordHash } from '../crypto/password-hash.ts';
import { parseSettingsFile } from './parse-settings-file.ts';

const A_HASH = 'expected a hash that `penguindome passwords set` or the original has made (in braces it needs quotes)';
const A_NAME = 'expected a name of at most 64 characters, without colons and control characters';

const hash = z.string({ error: A_HASH }).refine((text) => readPasswordHash(text) !== undefined, { error: A_HASH });
const name = z.string().refine(isAccountName, { error: A_NAME });
const passwords = z.strictObject({ passwords: z.record(name, hash).default({}) }).prefault({});

/** Users and groups of the whole server, and passwords that count at one endpoint only. */
export const accountsFile = z.strictObject({
  users: z.record(name, z.strictObject({ password: hash })).default({}),
  groups: z.record(name, z.array(name)).default({}),
  endpoints: z.strictObject({ download_release: passwords, pipe_create: passwords }).prefault({}),
});

/** JSON can hold it. Own properties only: a user may be called `constructor`. */
export interface Accounts {
  /** name → hash */
  users: Record<string, string>;
  groups: Record<string, string[]>;
  /** name → hash */
  endpoints: Record<GuardedEndpoint, Record<string, string>>;
}

export const NO_ACCOUNTS: Accounts = parseAccounts('', 'accounts.yml');

/**
 * Where the file is missing there are no accounts.
 * @throws SettingsError for what is no account; OperatorError for a file that cannot be read, or that others may read or change
 */
export async function loadAccounts({ accounts: file }: { accounts: string }): Promise<Accounts> {
  const text = await readAccountsFile(file);
  return text === undefined ? NO_ACCOUNTS : parseAccounts(text, file);
}

/** @throws SettingsError */
export function parseAccounts(text: string, file: string): Accounts {
  const { users, groups, endpoints } = parseSettingsFile({ text, file, secret: true }, accountsFile, () => []);
  return {
    users: Object.fromEntries(Object.entries(users).map(([user, { password }]) => [user, password])),
    groups,
    endpoints: {
      download_release: endpoints.download_release.passwords,
      pipe_create: endpoints.pipe_create.passwords,
    },
  };
}

const MOST_BYTES = 4 * 1024 * 1024;

/** @returns undefined where there is none */
export async function readAccountsFile(file: string): Promise<string | undefined> {
  // O_NONBLOCK: a pipe in the file's place must not hold us up
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new OperatorError(`cannot read ${file}: ${messageOf(cause)}${adviceFor(file)}`, { exitCode: 3, cause });
  });
  if (handle === undefined) return undefined;
  try {
    // Mode and content of one and the same open file: it cannot be swapped in between.
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > MOST_BYTES) {
      throw new OperatorError(`cannot use ${file}: it is no regular file of at most 4 MiB`, { exitCode: 3 });
    }
    if ((stats.mode & 0o027) !== 0) {
      const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
      const why = `others may read or change it (mode ${mode})`;
      throw new OperatorError(`cannot use ${file}: ${why}; run chmod 640 ${file}`, { exitCode: 3 });
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function adviceFor(file: string): string {
  return `; the server's user must be able to read it: chown root:penguindome-server ${file}`;
}

/** A name that stands where an account is meant, and is none. */
export interface UnknownName {
  /** dotted: `server_auth.pipe_create.users`, `groups.admins` */
  where: string;
  name: string;
}

type ServerAuth = Partial<Record<GuardedEndpoint, { users: string[]; groups: string[] } | undefined>>;

/** Nobody can log in by these: a slip, or what was left when an account was removed. */
export function findUnknownNames(auth: ServerAuth, { users, groups }: Accounts): UnknownName[] {
  const missing = (where: string, names: readonly string[], known: object): UnknownName[] =>
    names.filter((each) => !Object.hasOwn(known, each)).map((each) => ({ where, name: each }));
  return [
    ...Object.entries(groups).flatMap(([group, members]) => missing(`groups.${group}`, members, users)),
    ...GUARDED.flatMap((endpoint) => [
      ...missing(`server_auth.${endpoint}.users`, auth[endpoint]?.users ?? [], users),
      ...missing(`server_auth.${endpoint}.groups`, auth[endpoint]?.groups ?? [], groups),
    ]),
  ];
}
