import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { whenPresent } from './needs.ts';

/** From PyPI. It brings the schemas of Kubernetes 1.25 to 1.37 in the package, and asks nobody for any. */
const PACKAGE = 'kubernetes-validate==1.37.0';
const FOLDER = resolve('.cache/kubernetes-validate');

/** While the lock is held: two runs of tests may want it at once. Only a complete folder gets its name. */
const INSTALL = `
  [ -d "$1" ] && exit 0
  rm -rf "$1.part"
  python3 -m pip install --quiet --no-input --disable-pip-version-check --target "$1.part" "$2" && mv "$1.part" "$1"
`;

/** Holds a file of manifests to the schemas of this version, and to nothing that these do not know. */
export function validate(file: string, version: string): { valid: boolean; said: string } {
  const { status, stdout, stderr } = run('--kubernetes-version', version, '--strict', file);
  return { valid: status === 0, said: stdout + stderr };
}

function run(...args: string[]) {
  const env = { ...process.env, PYTHONPATH: FOLDER };
  return spawnSync('python3', [join(FOLDER, 'bin/kubernetes-validate'), ...args], { encoding: 'utf8', env });
}

function install(): boolean {
  mkdirSync(resolve('.cache'), { recursive: true });
  spawnSync('flock', [`${FOLDER}.lock`, 'sh', '-c', INSTALL, 'sh', FOLDER, PACKAGE], { stdio: 'inherit' });
  return run('--version').status === 0;
}

/** A test that holds manifests to Kubernetes's own schemas. */
export const withKubernetesValidate = whenPresent(
  install(),
  `manifests are checked with ${PACKAGE}, which pip cannot install`,
);
