import { closeSync, mkdirSync, symlinkSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openPath } from '../../../../src/agent/wipe/homes/open-folder.ts';
import { whenPresent } from '../../../support/needs.ts';
import { scratchFolder } from '../../../support/scratch.ts';

const asRoot = whenPresent(process.geteuid?.() === 0, 'links of root’s: root');
const nowhereAway = () => false;

function pathOf(path: string, isAway: (path: string) => boolean = nowhereAway): string {
  const opened = openPath(path, isAway);
  if (opened.kind !== 'folder') return opened.kind;
  closeSync(opened.folder.fd);
  return opened.folder.path;
}

test('a path is opened name by name; the last one is never followed', async (t) => {
  const folder = await scratchFolder(t);
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  symlinkSync('a/b', join(folder, 'link'));
  t.is(pathOf(join(folder, 'a/b')), join(folder, 'a/b'));
  t.is(pathOf(`${folder}//a/./b/`), join(folder, 'a/b'));
  t.is(pathOf('/'), '/');
  t.is(pathOf(join(folder, 'link')), 'link');
  t.is(pathOf(join(folder, 'none/x')), 'missing');
});

for (const path of ['', 'home/alice', '/home/../etc', '/home/a\0b']) {
  test(`${JSON.stringify(path)} is no path that counts`, (t) => {
    t.is(pathOf(path), 'untrusted');
  });
}

test('what is on another machine is not looked at', async (t) => {
  const folder = await scratchFolder(t);
  const asked: string[] = [];
  const isAway = (path: string) => asked.push(path) > 0 && path.startsWith(folder);
  t.is(pathOf(join(folder, 'never/there'), isAway), 'away');
  t.false(asked.some((path) => path.includes('never')));
});

asRoot('links on the way count where root alone can have made them', async (t) => {
  const folder = await scratchFolder(t);
  mkdirSync(join(folder, 'var/home/alice'), { recursive: true });
  mkdirSync(join(folder, 'theirs'), { mode: 0o777 });
  symlinkSync('var/home', join(folder, 'home'));
  symlinkSync(join(folder, 'var/home'), join(folder, 'theirs/home'));
  symlinkSync('../var/./home/../home', join(folder, 'var/again'));
  symlinkSync('loop', join(folder, 'loop'));
  await chown(join(folder, 'theirs'), 1000, 1000);
  t.is(pathOf(join(folder, 'home/alice')), join(folder, 'var/home/alice'));
  t.is(pathOf(join(folder, 'var/again/alice')), join(folder, 'var/home/alice'));
  t.is(pathOf(join(folder, 'theirs/home/alice')), 'untrusted');
  t.is(pathOf(join(folder, 'loop/alice')), 'untrusted');
});
