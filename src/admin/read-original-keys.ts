import { execFile } from 'node:child_process';
import { access, cp, lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, OperatorError } from '../core/errors.ts';
import { isAlive } from '../settings/lock-file.ts';
import { EXIT } from './exit-codes.ts';
import { checkFolderInside } from './original/read-inside.ts';

const run = promisify(execFile);

/** By absolute path: what is on somebody's PATH must not be handed a keyring. */
const PROGRAMS = ['/usr/bin/gpg', '/usr/bin/gpg2', '/usr/local/bin/gpg'];
/** A keyring's copy; behind it the process that made it. In /tmp, for the agent's socket has room for 108 characters. */
const COPY = 'penguindome-keyring-';
const SERVER_NAME = '=penguindome-server';
const CLIENT_NAME = '=penguindome-client';

/** The OpenPGP keys of an original installation, armored. */
export async function readOriginalKeys(dir: string, signal: AbortSignal): Promise<{ server: string; client: string }> {
  const keyring = join(dir, 'server/keyring');
  if (!(await checkFolderInside(dir, 'server/keyring'))) {
    throw new OperatorError(`cannot find ${keyring}: is ${dir} the folder of an original installation's server?`);
  }
  const gpg = await findGpg();
  await removeAbandoned();
  const server = await exportKey(gpg, keyring, ['--export-secret-keys', SERVER_NAME], signal);
  if (server === '') throw new OperatorError(`cannot find the secret key penguindome-server in ${keyring}`);
  // the server knows the clients' public key; the folder that goes to clients holds it too
  const client =
    (await exportKey(gpg, keyring, ['--export', CLIENT_NAME], signal)) || (await exportFromClient(gpg, dir, signal));
  if (client === '') throw new OperatorError(`cannot find the key penguindome-client in ${keyring}`);
  return { server, client };
}

async function exportFromClient(gpg: string, dir: string, signal: AbortSignal): Promise<string> {
  const there = await checkFolderInside(dir, 'client/keyring');
  return there ? exportKey(gpg, join(dir, 'client/keyring'), ['--export', CLIENT_NAME], signal) : '';
}

/** Works on a copy: gpg writes into the folder it reads, and the original must stay as it is. @returns '' where there is no such key */
async function exportKey(gpg: string, keyring: string, args: string[], signal: AbortSignal): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), `${COPY}${process.pid}-`));
  try {
    // sockets of a running agent are no files to copy
    const filter = (path: string) => !/\/(S\.[^/]*|[^/]*\.lock|random_seed)$/.test(path);
    await cp(keyring, home, { recursive: true, filter });
    const always = [
      '--homedir',
      home,
      '--batch',
      '--no-tty',
      '--quiet',
      '--pinentry-mode',
      'loopback',
      '--passphrase',
      '',
    ];
    const { stdout } = await run(gpg, [...always, '--armor', ...args], { signal, maxBuffer: 16 * 1024 * 1024 });
    return stdout;
  } catch (cause) {
    if (signal.aborted) throw cause;
    // gpg calls it a failure where there is no secret key of that name
    if (/nothing exported|not found|No secret key/i.test(messageOf(cause))) return '';
    throw new OperatorError(`cannot read ${keyring} with ${gpg}: ${lastLine(messageOf(cause))}`, { cause });
  } finally {
    await run(gpg.replace(/gpg2?$/, 'gpgconf'), ['--homedir', home, '--kill', 'all']).catch(() => {});
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** One that was killed could not remove its copy, in which there is a secret key. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(COPY) ? /^\d+/.exec(name.slice(COPY.length))?.[0] : undefined;
    if (pid === undefined || isAlive(Number(pid))) continue;
    const path = join(tmpdir(), name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory() && found.uid === userInfo().uid) await rm(path, { recursive: true, force: true });
  }
}

async function findGpg(): Promise<string> {
  for (const program of PROGRAMS) {
    const there = await access(program).then(
      () => true,
      () => false,
    );
    if (there) return program;
  }
  throw new OperatorError(
    `cannot find gpg (${PROGRAMS.join(', ')}): install it, or export the keys elsewhere and use --server-key and --client-key`,
    { exitCode: EXIT.notSetUp },
  );
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
