import { open } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { GUARDED, type GuardedEndpoint } from '../core/access.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import { readPasswordHash } from '../crypto/password-hash.ts';
import { checkPassword, makeDecoy, passwords } from '../crypto/passwords.ts';
import { type Accounts, loadAccounts } from '../settings/accounts.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { AdminContext } from './context.ts';
import { editAccounts, readAccountName, TELL_ACCOUNTS } from './edit-accounts.ts';
import { EXIT } from './exit-codes.ts';

interface Options {
  endpoint?: GuardedEndpoint;
  passwordFile?: string;
  unlessSame?: true;
}

/** `penguindome passwords set USER`: its hash goes to the accounts file; the password itself goes nowhere. */
export function passwordsSet(context: AdminContext): Command {
  return new Command('set')
    .description('give a user a password, or another one; it is asked for twice')
    .argument('<user>', 'at most 64 characters, no colons')
    .addOption(new Option('--endpoint <name>', 'a password that counts there only').choices([...GUARDED]))
    .option('--password-file <file>', 'take it from a file of one line instead of asking; - for standard input')
    .option('--unless-same', 'change nothing where that is the password already, for scripts that run again and again')
    .addHelpText('after', EXAMPLES)
    .action((user: string, options: Options) => setPassword(context, readAccountName(user), options));
}

const EXAMPLES = `
A user of the whole server may use the endpoints whose server_auth names it, or a group of it; one with a password for an endpoint may
use that endpoint. Passwords have at least 8 characters; what is kept is an Argon2id hash, in the accounts file.

Examples:
  penguindome passwords set fred
  penguindome passwords set downloader --endpoint download_release
  pass show penguindome/fred | penguindome passwords set fred --password-file -
  penguindome passwords set fred --password-file /run/secrets/fred --unless-same
  penguindome settings set server_auth.download_release.users '[fred]'`;

async function setPassword(context: AdminContext, user: string, options: Options): Promise<void> {
  const { endpoint, passwordFile } = options;
  const { output } = context;
  const settings = await context.settings();
  const password = passwordFile === undefined ? await ask(context, user) : await read(context, passwordFile);
  refuseUnfit(password);
  if (options.unlessSame === true && (await isSame(await loadAccounts(settings), user, options, password))) {
    const accounts = settings.accounts;
    if (output.wantsJson) output.json({ user, endpoint: endpoint ?? null, new: false, changed: false, accounts });
    else output.line(`${user} has that password already: ${accounts}`);
    return;
  }
  const hash = await passwords.hash(password);
  let known = false;
  let groups: string[] = [];
  const { file } = await editAccounts(context, (accounts) => {
    known = Object.hasOwn(endpoint === undefined ? accounts.users : accounts.endpoints[endpoint], user);
    groups = Object.keys(accounts.groups).filter((group) => accounts.groups[group]?.includes(user));
    const path = endpoint === undefined ? ['users', user, 'password'] : ['endpoints', endpoint, 'passwords', user];
    return [{ path, value: JSON.stringify(hash) }];
  });
  if (output.wantsJson) {
    output.json({ user, endpoint: endpoint ?? null, new: !known, changed: true, accounts: file });
    return;
  }
  const where = endpoint === undefined ? '' : `, for ${endpoint}`;
  output.line(`${user} has ${known ? 'another' : 'a'} password${where}: ${file}`);
  if (endpoint === undefined && !mayUseAny(settings, user, groups)) {
    output.note(
      `${user} may use nothing yet: penguindome settings set server_auth.download_release.users '[${user}]', or penguindome groups add`,
    );
  }
  output.note(TELL_ACCOUNTS);
}

function mayUseAny({ server_auth: auth }: ServerSettings, user: string, groups: readonly string[]): boolean {
  return GUARDED.some(
    (name) => auth[name]?.users.includes(user) || auth[name]?.groups.some((group) => groups.includes(group)),
  );
}

/** Also by a hash of the original: the password is the same one. */
async function isSame(accounts: Accounts, user: string, { endpoint }: Options, password: string): Promise<boolean> {
  const hashes = endpoint === undefined ? accounts.users : accounts.endpoints[endpoint];
  const hash = Object.hasOwn(hashes, user) ? readPasswordHash(hashes[user] ?? '') : undefined;
  return checkPassword(passwords, { hash, decoy: makeDecoy(), rounds: 0 }, password);
}

const SHORTEST = 8;
/** In bytes: what an Authorization header of a client may hold. */
const LONGEST = 1024;

function refuseUnfit(password: string): void {
  if ([...password].length < SHORTEST) {
    throw new OperatorError(`cannot take that password: expected at least ${SHORTEST} characters`);
  }
  if (Buffer.byteLength(password) > LONGEST || /\p{Cc}/u.test(password)) {
    throw new OperatorError(`cannot take that password: expected at most ${LONGEST} bytes, without control characters`);
  }
}

async function ask({ output }: AdminContext, user: string): Promise<string> {
  const options = { flag: '--password-file', secret: true };
  const password = await output.ask(`Password for ${user}:`, options);
  refuseUnfit(password);
  if ((await output.ask('The same again:', options)) === password) return password;
  throw new OperatorError('cannot set the password: the two were not the same');
}

/** Without the end of its line. */
async function read({ stdin }: AdminContext, file: string): Promise<string> {
  const bytes = file === '-' ? await firstOf(stdin) : await startOf(file);
  const [line = '', ...rest] = bytes.toString('utf8').split(/\r?\n/);
  if (rest.length > 1 || (rest[0] ?? '') !== '') {
    throw new OperatorError(`cannot take the password from ${file}: expected one line`, { exitCode: EXIT.usage });
  }
  return line;
}

/** Enough to see that it is too much. */
const MOST_READ = 4 * LONGEST;

async function firstOf(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    total += bytes.length;
    if (total > MOST_READ) break;
  }
  return Buffer.concat(chunks);
}

async function startOf(file: string): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MOST_READ), 0, MOST_READ, null);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new OperatorError(`cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}
