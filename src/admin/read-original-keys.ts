import { execFile } from 'node:child_process';
import { access, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { messageOf, OperatorError } from '../core/errors.ts';
import { exists, readIfThere } from './ensure-files.ts';
import { EXIT } from './exit-codes.ts';

const run = promisify(execFile);

/** By absolute path: what is on somebody's PATH must not be handed a keyring. */
const PROGRAMS = ['/usr/bin/gpg', '/usr/bin/gpg2', '/usr/local/bin/gpg'];
const SERVER_NAME = '=penguindome-server';
const CLIENT_NAME = '=penguindome-client';

/** The OpenPGP keys of an original installation, armored, and what else its operator should know. */
export async function readOriginalKeys(
  dir: string,
  signal: AbortSignal,
): Promise<{ server: string; client: string; remarks: string[] }> {
  const keyring = join(dir, 'server/keyring');
  if (!(await exists(keyring))) {
    throw new OperatorError(`cannot find ${keyring}: is ${dir} the folder of an original installation's server?`);
  }
  const gpg = await findGpg();
  const server = await exportKey(gpg, keyring, ['--export-secret-keys', SERVER_NAME], signal);
  if (server === '') throw new OperatorError(`cannot find the secret key penguindome-server in ${keyring}`);
  // the server knows the clients' public key; the folder that goes to clients holds it too
  const client =
    (await exportKey(gpg, keyring, ['--export', CLIENT_NAME], signal)) ||
    (await exportFromClient(gpg, join(dir, 'client/keyring'), signal));
  if (client === '') throw new OperatorError(`cannot find the key penguindome-client in ${keyring}`);
  return { server, client, remarks: await readRemarks(join(dir, 'server/settings.yml')) };
}

async function exportFromClient(gpg: string, keyring: string, signal: AbortSignal): Promise<string> {
  return (await exists(keyring)) ? exportKey(gpg, keyring, ['--export', CLIENT_NAME], signal) : '';
}

/** Works on a copy: gpg writes into the folder it reads, and the original must stay as it is. @returns '' where there is no such key */
async function exportKey(gpg: string, keyring: string, args: string[], signal: AbortSignal): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'penguindome-'));
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

/** What migrate does not take over, but points to: where the original's data is. Never its password. */
async function readRemarks(file: string): Promise<string[]> {
  const text = await readIfThere(file);
  if (text === undefined) return [`${file} is not there: only the keys were read`];
  let settings: unknown;
  try {
    settings = parse(text);
  } catch {
    return [`${file} is no YAML: only the keys were read`];
  }
  const name = at(settings, 'database', 'name') ?? 'penguindome';
  const host = at(settings, 'database', 'host') ?? 'localhost:27017';
  const hosts = (Array.isArray(host) ? host : [host]).map(String);
  return [
    `The original's data is in MongoDB at ${hosts.join(', ')}, database ${String(name)}; to go on with it: penguindome settings set store '{kind: mongo, hosts: [${hosts.map((one) => JSON.stringify(one)).join(', ')}], database: ${JSON.stringify(name)}}'`,
  ];
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, step) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, step) : undefined),
    value,
  );
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
