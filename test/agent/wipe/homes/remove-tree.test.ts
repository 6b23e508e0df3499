import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Folder, idOf, openPath } from '../../../../src/agent/wipe/homes/open-folder.ts';
import { releaseWith } from '../../../../src/agent/wipe/homes/release-protection.ts';
import { removeOwned } from '../../../../src/agent/wipe/homes/remove-owned.ts';
import { emptyFolder, newRemoving, type Removing, removeName } from '../../../../src/agent/wipe/homes/remove-tree.ts';
import { systemTools } from '../../../../src/agent/wipe/tools.ts';
import { whenPresent } from '../../../support/needs.ts';
import { scratchFolder } from '../../../support/scratch.ts';

const asRoot = whenPresent(process.geteuid?.() === 0, 'mounts and other users’ files: root');
const run = systemTools(new AbortController().signal);

interface Ground {
  /** what is to be emptied */
  home: string;
  folder: Folder;
  /** beside it: must stay as it is */
  outside: string;
  removing: Removing;
}

async function ground(t: ExecutionContext): Promise<Ground> {
  const scratch = await scratchFolder(t);
  const [home, outside] = [join(scratch, 'home'), join(scratch, 'outside')];
  mkdirSync(home);
  mkdirSync(outside);
  writeFileSync(join(outside, 'precious'), 'still here');
  const opened = openPath(home, () => false);
  if (opened.kind !== 'folder') throw new Error(`cannot open ${home}: ${opened.kind}`);
  t.teardown(() => closeSync(opened.folder.fd));
  return {
    home,
    folder: opened.folder,
    outside,
    removing: newRemoving({ keep: new Set(), release: releaseWith(run) }),
  };
}

const sh = (script: string, ...args: string[]) =>
  execFileSync('sh', ['-euc', script, 'sh', ...args], { stdio: 'pipe' });

test('files, folders, links, FIFOs and sockets go, and links are not followed', async (t) => {
  const { home, folder, outside, removing } = await ground(t);
  sh(
    'cd "$1"; mkdir -p a/b/c .hidden; echo x >a/b/c/f; echo x >.hidden/g; mkfifo pipe; ln -s "$2" link; ln -s "$2/precious" a/file; ln -s nowhere dangling',
    home,
    outside,
  );
  await emptyFolder(folder, removing);
  t.deepEqual(readdirSync(home), []);
  t.deepEqual([...removing.left], []);
  t.is(removing.removed, 10);
  t.is(readFileSync(join(outside, 'precious'), 'utf8'), 'still here');
});

test('names that are no text, or look like options or commands of a terminal, go like any other', async (t) => {
  const { home, folder, removing } = await ground(t);
  for (const name of [Buffer.from([0xff, 0xfe]), Buffer.from('-rf'), Buffer.from('a\nb'), Buffer.from('\u001b[2J')]) {
    const path = Buffer.concat([Buffer.from(`${home}/`), name]);
    mkdirSync(path);
    writeFileSync(Buffer.concat([path, Buffer.from([0x2f, 0xc3])]), 'x');
  }
  await emptyFolder(folder, removing);
  t.deepEqual(readdirSync(home), []);
});

test('folders that nest deeper than any path may be long, and than descriptors last, go', async (t) => {
  const { home, folder, removing } = await ground(t);
  const nest = 'import os\nfor i in range(1200):\n  os.mkdir("d" * 20); os.chdir("d" * 20)\nopen("f", "w").close()';
  execFileSync('python3', ['-c', nest], { cwd: home });
  await emptyFolder(folder, removing);
  t.deepEqual(readdirSync(home), []);
  t.is(removing.removed, 1201);
});

test('a folder that must stay stays with all that is in it, and is told', async (t) => {
  const { home, folder, removing } = await ground(t);
  sh('cd "$1"; mkdir -p a/keep b; echo x >a/keep/f; echo x >b/f', home);
  const kept = openPath(join(home, 'a/keep'), () => false);
  if (kept.kind !== 'folder') return t.fail();
  closeSync(kept.folder.fd);
  const keeping = { ...removing, keep: new Set([idOf(kept.folder.stats)]) };
  await emptyFolder(folder, keeping);
  t.deepEqual(readdirSync(home), ['a']);
  t.true(existsSync(join(home, 'a/keep/f')));
  t.deepEqual([...keeping.left.keys()], [join(home, 'a/keep')]);
});

asRoot('what is mounted in it is not entered, though it be a bind mount of the same file system', async (t) => {
  const { home, folder, outside, removing } = await ground(t);
  sh(
    'cd "$1"; mkdir data fs; echo x >file; echo x >only; mount --bind "$2" data; mount -t tmpfs none fs; echo x >fs/f; mount --bind "$2/precious" file',
    home,
    outside,
  );
  t.teardown(() => sh('umount "$1/data" "$1/fs" "$1/file"', home));
  await emptyFolder(folder, removing);
  t.is(readFileSync(join(outside, 'precious'), 'utf8'), 'still here');
  t.deepEqual(readdirSync(home).sort(), ['data', 'file', 'fs']);
  t.true(existsSync(join(home, 'fs/f')));
  t.deepEqual(
    [...removing.left.values()],
    ['something is mounted there', 'something is mounted there', 'something is mounted there'],
  );
});

asRoot('files and folders that are immutable or append-only go', async (t) => {
  const { home, folder, removing } = await ground(t);
  sh(
    'cd "$1"; mkdir -p a/b; echo x >a/i; echo x >a/b/f; ln a/b/f hard; chattr +i a/i; chattr +a a/b; chattr +i a; echo x >top; chattr +i . top',
    home,
  );
  await emptyFolder(folder, removing);
  t.deepEqual(readdirSync(home), []);
  t.deepEqual([...removing.left], []);
});

asRoot('what is immutable elsewhere stays so, though a link in an immutable folder leads to it', async (t) => {
  const { home, folder, outside, removing } = await ground(t);
  t.teardown(() => sh('chattr -i "$1/precious"', outside));
  sh(
    'cd "$1"; chattr +i "$2/precious"; mkdir a; ln -s "$2/precious" a/link; ln -s "$2" a/folder; chattr +i a',
    home,
    outside,
  );
  await emptyFolder(folder, removing);
  t.deepEqual(readdirSync(home), []);
  t.regex(execFileSync('lsattr', [join(outside, 'precious')], { encoding: 'utf8' }), /^\S*i\S* /);
});

asRoot('modes and owners of what is in it make no difference', async (t) => {
  const { home, folder, removing } = await ground(t);
  sh('cd "$1"; mkdir -p a/b; echo x >a/b/f; chown -R 1000:1000 .; chmod 000 a/b a', home);
  await emptyFolder(folder, removing);
  t.deepEqual(readdirSync(home), []);
});

asRoot('a link that takes the place of a folder while it is removed leads nowhere', async (t) => {
  const { home, folder, outside, removing } = await ground(t);
  sh('cd "$1"; for i in $(seq 200); do mkdir -p "d$i/e"; echo x >"d$i/e/precious"; done; chown -R 1000 .', home);
  // Somebody who swaps folders and links as fast as they can.
  const swap = `
import os, sys
home, outside = sys.argv[1:]
os.chdir(home)  # who may not look up the path any more is in already
os.setuid(1000)
swaps = 0
while True:
  for i in range(1, 201):
    try:
      os.rename(f"d{i}/e", f"d{i}/x"); os.symlink(outside, f"d{i}/e")
      swaps += 1
      if swaps == 1: print("swapped", flush=True)
    except OSError: pass
`;
  const { spawn } = await import('node:child_process');
  const swapper = spawn('python3', ['-c', swap, home, outside], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => swapper.kill('SIGKILL'));
  const [said] = await once(swapper.stdout, 'data');
  t.is(String(said).trim(), 'swapped');
  await emptyFolder(folder, removing);
  swapper.kill('SIGKILL');
  t.is(readFileSync(join(outside, 'precious'), 'utf8'), 'still here');
  t.deepEqual(readdirSync(home), []);
});

asRoot(
  'of a folder that all may write to, what belongs to some users goes, wherever it lies, and the rest stays',
  async (t) => {
    const { home, folder, outside, removing } = await ground(t);
    sh(
      `cd "$1"; mkdir -p theirs/x others/deep system; echo x >theirs/x/roots; echo x >others/deep/theirs; echo x >others/f; echo x >t; echo x >o
     ln -s "$2" link; chown -h 1000 link theirs t others/deep/theirs; chown 1001 others others/deep others/f o; ln -s "$2/precious" system/l; chown -h 1000 system/l`,
      home,
      outside,
    );
    await removeOwned(folder, (uid) => uid === 1000, removing);
    t.deepEqual(execFileSync('find', ['.', '-mindepth', '1'], { cwd: home, encoding: 'utf8' }).split('\n').sort(), [
      '',
      './o',
      './others',
      './others/deep',
      './others/f',
      './system',
    ]);
    t.is(readFileSync(join(outside, 'precious'), 'utf8'), 'still here');
  },
);

test('one name alone: a link is removed, and not what it leads to', async (t) => {
  const { home, folder, outside, removing } = await ground(t);
  symlinkSync(outside, join(home, 'link'));
  t.true(await removeName(folder, Buffer.from('link'), removing));
  t.true(await removeName(folder, Buffer.from('never-there'), removing));
  t.true(existsSync(join(outside, 'precious')));
});
