import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from './machine.ts';

const SHOWN = '/srv/packages';

/** To be shown in a machine that installs from this repository. */
export const repositoryBinds = (folder: string) => ({ [folder]: SHOWN });

/** Installs with apt, from the repository alone. */
export async function install(machine: Machine, folder: string, ...names: string[]): Promise<void> {
  const sources = await readFile(join(folder, 'deb/penguindome.sources'), 'utf8');
  await machine.run(['sh', '-c', 'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*']);
  await machine.write(
    '/etc/apt/sources.list.d/penguindome.sources',
    sources.replace(/^URIs: .*$/m, `URIs: file:${SHOWN}/deb`),
  );
  await machine.run(['apt-get', 'update']);
  await machine.run(['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-y', ...names]);
}
