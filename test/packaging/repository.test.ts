import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';

const TOOLS = ['apt-ftparchive', 'apt-get', 'bsdtar', 'dpkg-deb', 'gpg', 'pacman', 'pacman-key', 'repo-add', 'unshare'];
const missing = TOOLS.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
const withTools = whenPresent(missing.length === 0, `package repositories need ${missing.join(', ')}`);

interface Ended {
  status: number | null;
  said: string;
}

function run(command: string, args: string[], env: Record<string, string> = {}): Ended {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', ...env },
  });
  return { status, said: `${stdout}${stderr}` };
}

function must(command: string, args: string[], env?: Record<string, string>): string {
  const { status, said } = run(command, args, env);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${said}`);
  return said;
}

/** Repositories of one tiny package, made as `npm run package -- repository` makes them. */
async function repositories(t: ExecutionContext): Promise<{ scratch: string; folder: string }> {
  const scratch = await scratchFolder(t);
  const [built, folder] = [join(scratch, 'built'), join(scratch, 'repositories')];
  await tinyDeb(scratch, join(built, 'deb'));
  await tinyArch(scratch, join(built, 'arch'));
  const home = join(scratch, 'gnupg');
  await mkdir(home, { mode: 0o700 });
  const gpg = (...args: string[]) => must('gpg', ['--batch', '--quiet', ...args], { GNUPGHOME: home });
  gpg('--passphrase', '', '--quick-generate-key', 'Packages <packages@example.org>', 'ed25519', 'sign');
  gpg('--armor', '--output', join(scratch, 'key.asc'), '--export-secret-keys');
  must('gpgconf', ['--kill', 'all'], { GNUPGHOME: home });
  must('node', ['packaging/package.mjs', 'repository', folder, '--sign', join(scratch, 'key.asc'), '--output', built]);
  return { scratch, folder };
}

async function tinyDeb(scratch: string, to: string): Promise<void> {
  const tree = join(scratch, 'tiny');
  await mkdir(join(tree, 'DEBIAN'), { recursive: true });
  await mkdir(to, { recursive: true });
  const control = {
    Package: 'tiny',
    Version: '1',
    Architecture: 'amd64',
    Maintainer: 'A <a@example.org>',
    Description: 'x',
  };
  const lines = Object.entries(control).map(([key, value]) => `${key}: ${value}\n`);
  await writeFile(join(tree, 'DEBIAN/control'), lines.join(''));
  must('dpkg-deb', ['--root-owner-group', '--build', tree, join(to, 'tiny_1_amd64.deb')]);
}

async function tinyArch(scratch: string, to: string): Promise<void> {
  const tree = join(scratch, 'tiny-arch');
  await mkdir(join(tree, 'usr'), { recursive: true });
  await mkdir(to, { recursive: true });
  const lines = ['pkgname = tiny', 'pkgver = 1-1', 'pkgdesc = x', 'size = 1', 'arch = x86_64', 'builddate = 1', ''];
  await writeFile(join(tree, '.PKGINFO'), lines.join('\n'));
  must('bsdtar', ['-C', tree, '--zstd', '-cf', join(to, 'tiny-1-1-x86_64.pkg.tar.zst'), '.PKGINFO', 'usr']);
  // as penguindome site-package makes one
  const site = lines.map((line) => line.replace('tiny', 'tiny-site').replace('x86_64', 'any'));
  await writeFile(join(tree, '.PKGINFO'), site.join('\n'));
  must('bsdtar', ['-C', tree, '-czf', join(to, 'tiny-site-1-1-any.pkg.tar.gz'), '.PKGINFO', 'usr']);
}

/** apt with folders of its own, and nothing but this source. */
async function apt(t: ExecutionContext, folder: string): Promise<(...args: string[]) => Ended> {
  const own = await scratchFolder(t);
  for (const name of ['etc', 'lists/partial', 'cache/archives/partial', 'down'])
    await mkdir(join(own, name), { recursive: true });
  const sources = await readFile(join(folder, 'deb/penguindome.sources'), 'utf8');
  await writeFile(join(own, 'etc/penguindome.sources'), sources.replace(/^URIs: .*$/m, `URIs: file:${folder}/deb`));
  await writeFile(join(own, 'status'), '');
  const options = [
    `Dir::Etc::SourceList=/dev/null`,
    `Dir::Etc::SourceParts=${own}/etc`,
    `Dir::State::Lists=${own}/lists`,
    `Dir::State::Status=${own}/status`,
    `Dir::Cache=${own}/cache`,
    'APT::Architecture=amd64',
    'APT::Architectures::=amd64',
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
  ].flatMap((option) => ['-o', option]);
  return (...args) => {
    const { status, stdout, stderr } = spawnSync('apt-get', [...options, ...args], {
      encoding: 'utf8',
      cwd: join(own, 'down'),
      env: { ...process.env, LC_ALL: 'C' },
    });
    return { status, said: `${stdout}${stderr}` };
  };
}

async function change(path: string, edit: (bytes: Buffer) => Buffer): Promise<void> {
  await writeFile(path, edit(await readFile(path)));
}

const flipLast = (bytes: Buffer) => {
  const changed = Buffer.from(bytes);
  changed.writeUInt8((changed.at(-9) ?? 0) ^ 1, changed.length - 9);
  return changed;
};

withTools('apt takes what the key has signed, and refuses whatever was changed after that', async (t) => {
  const { folder } = await repositories(t);
  const good = await apt(t, folder);
  t.is(good('update').status, 0, good('update').said);
  t.is(good('download', 'tiny').status, 0);

  const deb = join(folder, 'deb/pool/tiny_1_amd64.deb');
  const [intact, lists] = [await readFile(deb), join(folder, 'deb/dists/stable/main/binary-amd64')];
  await change(deb, flipLast);
  const changed = await apt(t, folder);
  changed('update');
  const download = changed('download', 'tiny');
  t.not(download.status, 0);
  t.regex(download.said, /Hash Sum mismatch|unexpected size/);
  await writeFile(deb, intact);

  const release = join(folder, 'deb/dists/stable/InRelease');
  const signed = await readFile(release);
  await change(join(lists, 'Packages'), (bytes) => Buffer.from(bytes.toString().replace('Version: 1', 'Version: 2')));
  await change(join(lists, 'Packages.gz'), () => gzipSync('Package: tiny\nVersion: 2\n'));
  const listed = (await apt(t, folder))('update');
  t.not(listed.status, 0);
  t.regex(listed.said, /Hash Sum mismatch|unexpected size/);

  await change(release, (bytes) => Buffer.from(bytes.toString().replace('Suite: stable', 'Suite: staple')));
  const resigned = (await apt(t, folder))('update');
  t.not(resigned.status, 0);
  t.regex(resigned.said, /BADSIG|invalid|not signed/i);
  await writeFile(release, signed);
});

/** pacman on a root of its own, as root of a user namespace where it is not root anyway. */
async function pacman(t: ExecutionContext, folder: string): Promise<(...args: string[]) => Ended> {
  const own = await scratchFolder(t);
  for (const name of ['root/var/lib/pacman', 'root/etc', 'cache', 'gnupg'])
    await mkdir(join(own, name), { recursive: true });
  const repository = (await readFile(join(folder, 'arch/penguindome.conf'), 'utf8')).replace(
    /^Server = .*$/m,
    `Server = file://${folder}/arch/$arch`,
  );
  await writeFile(
    join(own, 'pacman.conf'),
    `[options]\nArchitecture = x86_64\nSigLevel = Required\nGPGDir = ${own}/gnupg\nCacheDir = ${own}/cache\n${repository}`,
  );
  const as = process.getuid?.() === 0 ? [] : ['unshare', '--user', '--map-root-user', '--'];
  const start = (program: string, args: string[]) => {
    const [command = '', ...rest] = [...as, program, '--config', join(own, 'pacman.conf'), ...args];
    return run(command, rest);
  };
  for (const args of [['--init'], ['--add', join(folder, 'penguindome.asc')]]) start('pacman-key', args);
  const keys = must('gpg', [
    '--batch',
    '--homedir',
    join(own, 'gnupg'),
    '--list-keys',
    '--with-colons',
    'packages@example.org',
  ]);
  const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(keys)?.[1] ?? '';
  start('pacman-key', ['--lsign-key', fingerprint]);
  t.teardown(() => void run('gpgconf', ['--homedir', join(own, 'gnupg'), '--kill', 'all']));
  return (...args) => start('pacman', ['--noconfirm', '--root', join(own, 'root'), ...args]);
}

withTools('pacman takes what the key has signed, and refuses whatever was changed after that', async (t) => {
  const { scratch, folder } = await repositories(t);
  const good = await pacman(t, folder);
  const installed = good('-Sy', 'tiny', 'tiny-site');
  t.is(installed.status, 0, installed.said);
  t.regex(good('-Q').said, /^tiny 1-1\ntiny-site 1-1$/m);

  const tampered = join(scratch, 'tampered');
  await cp(folder, tampered, { recursive: true, verbatimSymlinks: true });
  await change(join(tampered, 'arch/x86_64/tiny-1-1-x86_64.pkg.tar.zst'), flipLast);
  const refused = (await pacman(t, tampered))('-Sy', 'tiny');
  t.not(refused.status, 0);
  t.regex(refused.said, /invalid or corrupted package|signature.*invalid/i);

  await change(join(tampered, 'arch/x86_64/penguindome.db.tar.gz'), flipLast);
  const listed = (await pacman(t, tampered))('-Sy', 'tiny');
  t.not(listed.status, 0);
  t.regex(listed.said, /invalid|corrupted/i);
});

withTools('a repository takes the place of the one before, and of nothing else', async (t) => {
  const scratch = await scratchFolder(t);
  const [built, folder] = [join(scratch, 'built'), join(scratch, 'r')];
  await tinyDeb(scratch, join(built, 'deb'));
  const home = join(scratch, 'gnupg');
  await mkdir(home, { mode: 0o700 });
  must(
    'gpg',
    ['--batch', '--quiet', '--passphrase', '', '--quick-generate-key', 'P <p@example.org>', 'ed25519', 'sign'],
    { GNUPGHOME: home },
  );
  must('gpg', ['--batch', '--armor', '--output', join(scratch, 'key.asc'), '--export-secret-keys'], {
    GNUPGHOME: home,
  });
  must('gpgconf', ['--kill', 'all'], { GNUPGHOME: home });
  const make = () =>
    run('node', ['packaging/package.mjs', 'repository', folder, '--sign', join(scratch, 'key.asc'), '--output', built]);
  for (let round = 0; round < 2; round++) t.is(make().status, 0);
  t.deepEqual((await readdir(folder)).sort(), ['deb', 'penguindome.asc']);
  await rm(join(folder, 'deb'), { recursive: true });
  await mkdir(join(folder, 'deb'));
  await writeFile(join(folder, 'deb/mine'), '');
  t.regex(make().said, /is no repository of penguindome/);
  t.deepEqual(await readdir(join(folder, 'deb')), ['mine']);
});

withTools('without packages, or without a secret key, there is no repository, and it says why', async (t) => {
  const scratch = await scratchFolder(t);
  const make = (...args: string[]) =>
    run('node', ['packaging/package.mjs', 'repository', join(scratch, 'r'), ...args, '--output', join(scratch, 'b')]);
  t.regex(make('--sign', 'nobody').said, /holds no packages; build them first/);
  t.is(make().status, 2);
  await tinyDeb(scratch, join(scratch, 'b/deb'));
  await writeFile(join(scratch, 'none.asc'), 'no key');
  t.not(make('--sign', join(scratch, 'none.asc')).status, 0);
});
