// Installs the npm packages of the lockfile where they are not there yet. Uses nothing but Node and npm, for it runs first.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Says on standard error what it does, so that standard output stays a script's. */
export async function installPackages() {
  const lock = createHash('sha256')
    .update(await readFile(`${root}package-lock.json`))
    .digest('hex');
  const stamp = `${root}node_modules/.penguindome-lock`;
  if ((await readFile(stamp, 'utf8').catch(() => '')) === lock) return;
  console.error('installing npm packages …');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('cannot install the npm packages: `npm ci` failed, see above');
  await writeFile(stamp, lock);
}
