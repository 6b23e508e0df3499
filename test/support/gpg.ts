import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';

const run = promisify(execFile);
const GPG = '/usr/bin/gpg';

export const hasGpg = existsSync(GPG);

export interface Gpg {
  home: string;
  /** Runs the real gpg. @returns standard output */
  (args: string[], input?: string): Promise<string>;
}

/** A fresh keyring of the real GnuPG, gone after the test. */
export async function gpgHome(t: ExecutionContext): Promise<Gpg> {
  // In /tmp itself: the agent's socket must fit into 108 characters.
  const home = await mkdtemp(join(tmpdir(), 'pd-gpg-'));
  t.teardown(async () => {
    await run('/usr/bin/gpgconf', ['--homedir', home, '--kill', 'all']).catch(() => {});
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });
  const gpg = (args: string[], input = '') => runGpg(['--homedir', home, ...args], input);
  return Object.assign(gpg, { home });
}

function runGpg(args: string[], input: string): Promise<string> {
  const child = spawn(GPG, [
    '--batch',
    '--yes',
    '--no-tty',
    '--passphrase',
    '',
    '--pinentry-mode',
    'loopback',
    ...args,
  ]);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(Buffer.concat(out).toString());
      else reject(new Error(`gpg ${args.join(' ')}: ${Buffer.concat(err)}`));
    });
  });
}
