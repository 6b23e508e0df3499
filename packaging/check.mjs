// Everything that reads the code without running it: types, format and lint, unused code. All run, then the exit status tells.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const CHECKS = [['tsc', '--project', 'tsconfig.json'], ['biome', 'check', '--error-on-warnings', '.'], ['knip']];

for (const [tool, ...args] of CHECKS) {
  const { status } = spawnSync(`${root}node_modules/.bin/${tool}`, args, { cwd: root, stdio: 'inherit' });
  console.log(`${tool}: ${status === 0 ? 'ok' : 'failed'}`);
  if (status !== 0) process.exitCode = 1;
}
