/**
 * Takes the place of our verification in a bench build only: one `gpg --verify` process per request, as the original's server has it.
 * What it verifies is one fixed, genuine signature, so that the cost is gpg's alone.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const home = process.env['PENGUINDOME_BENCH_GPG_HOME'] ?? '';

export async function verifyByGpg(): Promise<void> {
  const options = ['--homedir', home, '--batch', '--no-auto-check-trustdb', '--trust-model', 'always'];
  await run('gpg', [...options, '--verify', `${home}/message.asc`, `${home}/message`]);
}
