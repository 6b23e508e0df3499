// What the server needs to make the tar for other distributions (penguindome release bootstrap): the agent as it is installed there, and install.sh.
import { copyFile, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../install.mjs';
import { FAMILIES } from './list.mjs';
import { output } from './output.mjs';
import { place } from './place.mjs';

const NAME = 'penguindome-agent';

/** @param payload already settled; its part `bootstrap` is made of the rest @param epoch seconds since 1970 */
export async function makeBootstrapParts(payload, { version, epoch }) {
  const folder = join(payload, 'bootstrap');
  const tree = join(folder, 'tree');
  await place(payload, NAME, tree, FAMILIES.other);
  await copyFile(join(payload, 'copyright', NAME), join(tree, 'usr/share/doc', NAME, 'copyright'));
  const same = ['--format=ustar', '--sort=name', '--owner=root:0', '--group=root:0', `--mtime=@${epoch}`];
  output('tar', [...same, '--mode=u+rwX,go+rX,go-w', '-cf', join(folder, 'agent.tar'), '-C', tree, 'usr']);
  await rm(tree, { recursive: true });
  const script = await readFile(`${root}packaging/bootstrap/install.sh`, 'utf8');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'install.sh'), script.replace('version=@VERSION@', `version=${version}`));
  for (const name of ['agent.tar', 'install.sh']) await utimes(join(folder, name), epoch, epoch);
}
