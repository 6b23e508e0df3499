// Two signed repositories of what was built: DIR/deb for apt (with a source in deb822 form, and what unattended-upgrades is to be told), DIR/arch for pacman.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { output } from './output.mjs';

const NAME = 'penguindome';
const SUITE = 'stable';

/** @param key a file with a secret OpenPGP key, or what gpg knows one by @param output folder of the built packages */
export async function makeRepositories(folder, { key, output: built, epoch }) {
  const root = resolve(folder);
  const packages = await builtPackages(resolve(built));
  const signer = await openSigner(key);
  try {
    await mkdir(root, { recursive: true });
    await writeFile(join(root, `${NAME}.asc`), signer.publicKey);
    if (packages.deb.length > 0) await inPlaceOf(join(root, 'deb'), (to) => makeApt(to, packages.deb, signer, epoch));
    if (packages.arch.length > 0) await inPlaceOf(join(root, 'arch'), (to) => makePacman(to, packages.arch, signer));
  } finally {
    await signer.close();
  }
}

/** What is there is replaced once the new one is whole; a folder of something else stays, and is told. */
async function inPlaceOf(folder, make) {
  const [fresh, old] = [`${folder}.new`, `${folder}.old`];
  const there = await readdir(folder).catch(() => []);
  if (there.length > 0 && !there.some((name) => name === `${NAME}.sources` || name === `${NAME}.conf`)) {
    throw new Error(`cannot make ${folder}: it is there, and is no repository of ${NAME}`);
  }
  for (const each of [fresh, old]) await rm(each, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  await make(fresh);
  if (there.length > 0) await rename(folder, old);
  else await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
  await rm(old, { recursive: true, force: true });
}

async function builtPackages(built) {
  const find = async (kind, ...endings) => {
    const names = await readdir(join(built, kind)).catch(() => []);
    return names
      .filter((name) => endings.some((ending) => name.endsWith(ending)))
      .sort()
      .map((name) => join(built, kind, name));
  };
  const packages = { deb: await find('deb', '.deb'), arch: await find('arch', '.pkg.tar.zst', '.pkg.tar.gz') };
  if (packages.deb.length + packages.arch.length > 0) return packages;
  throw new Error(`cannot make a repository: ${built} holds no packages; build them first: npm run package -- deb`);
}

/** A key from a file is in a keyring of its own, for as long as it takes; gpg asks for its passphrase itself. */
async function openSigner(key) {
  const isFile = await stat(key).then(
    (found) => found.isFile(),
    () => false,
  );
  const home = isFile ? await mkdtemp(join(tmpdir(), 'penguindome-sign-')) : undefined;
  const env = home === undefined ? process.env : { ...process.env, GNUPGHOME: home };
  const gpg = (...args) => output('gpg', ['--batch', '--yes', '--quiet', ...args], { env });
  const close = async () => {
    if (home === undefined) return;
    output('gpgconf', ['--kill', 'all'], { env });
    await rm(home, { recursive: true, force: true });
  };
  try {
    if (isFile) gpg('--import', key);
    const keys = gpg('--list-secret-keys', '--with-colons', ...(isFile ? [] : [key]));
    const fingerprint = /^fpr:+([0-9A-F]{40,64}):/m.exec(keys)?.[1];
    if (fingerprint === undefined) throw new Error(`cannot sign: ${key} holds no secret key`);
    return { fingerprint, env, gpg, close, publicKey: gpg('--armor', '--export', fingerprint) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** https://wiki.debian.org/DebianRepository/Format */
async function makeApt(folder, files, { gpg, fingerprint, publicKey }, epoch) {
  const pool = join(folder, 'pool');
  await mkdir(pool, { recursive: true });
  for (const file of files) await copyFile(file, join(pool, basename(file)));
  const dist = join(folder, 'dists', SUITE);
  const all = output('apt-ftparchive', ['packages', 'pool'], { cwd: folder });
  const entries = all.split(/\n\n+/).filter((entry) => entry.trim() !== '');
  const architectureOf = (entry) => /^Architecture: (\S+)$/m.exec(entry)?.[1];
  const architectures = [...new Set(entries.map(architectureOf))].filter((each) => each !== 'all').sort();
  const lists = new Map();
  for (const architecture of architectures) {
    const own = entries.filter((entry) => ['all', architecture].includes(architectureOf(entry)));
    const text = Buffer.from(`${own.join('\n\n')}\n`);
    lists.set(`main/binary-${architecture}/Packages`, text);
    lists.set(`main/binary-${architecture}/Packages.gz`, gzipSync(text, { level: 9 }));
  }
  for (const [path, bytes] of lists) {
    await mkdir(join(dist, path, '..'), { recursive: true });
    await writeFile(join(dist, path), bytes);
  }
  await writeFile(join(dist, 'Release'), releaseFile(lists, architectures, epoch));
  const sign = ['--local-user', fingerprint, '--output'];
  gpg(...sign, join(dist, 'InRelease'), '--clearsign', join(dist, 'Release'));
  gpg(...sign, join(dist, 'Release.gpg'), '--armor', '--detach-sign', join(dist, 'Release'));
  await writeFile(join(folder, `${NAME}.sources`), sourcesFile(publicKey));
  await writeFile(join(folder, `52${NAME}`), UNATTENDED);
}

function releaseFile(lists, architectures, epoch) {
  const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
  return [
    'Origin: PenguinDome',
    'Label: PenguinDome',
    `Suite: ${SUITE}`,
    `Codename: ${SUITE}`,
    `Date: ${new Date(epoch * 1000).toUTCString().replace('GMT', 'UTC')}`,
    `Architectures: ${['all', ...architectures].join(' ')}`,
    'Components: main',
    'No-Support-for-Architecture-all: Packages',
    'SHA256:',
    ...[...lists].map(([path, bytes]) => ` ${digest(bytes)} ${bytes.length} ${path}`),
    '',
  ].join('\n');
}

/** sources.list(5), deb822 form. The key is in it, so that it counts for this source and no other. */
function sourcesFile(publicKey) {
  const block = publicKey
    .trimEnd()
    .split('\n')
    .map((line) => ` ${line === '' ? '.' : line}`);
  return [
    '# To /etc/apt/sources.list.d/penguindome.sources, with the URL at which machines find this folder.',
    'Types: deb',
    'URIs: https://packages.example.org/deb',
    `Suites: ${SUITE}`,
    'Components: main',
    'Signed-By:',
    ...block,
    '',
  ].join('\n');
}

const UNATTENDED = `// To /etc/apt/apt.conf.d/52penguindome: unattended-upgrades takes PenguinDome's packages too.
Unattended-Upgrade::Origins-Pattern { "origin=PenguinDome,suite=${SUITE}"; };
`;

/** One database for each kind of machine; pacman finds it as SERVER/$arch. */
async function makePacman(folder, files, { gpg, fingerprint, env }) {
  const machines = [...new Set(files.flatMap((file) => /-(x86_64|aarch64)\.pkg/.exec(file)?.[1] ?? []))];
  for (const machine of machines) {
    const here = join(folder, machine);
    await mkdir(here, { recursive: true });
    const own = files.filter((file) => new RegExp(`-(any|${machine})\\.pkg`).test(file));
    for (const file of own) {
      const copy = join(here, basename(file));
      await copyFile(file, copy);
      gpg('--local-user', fingerprint, '--output', `${copy}.sig`, '--detach-sign', copy);
    }
    const names = own.map((file) => basename(file));
    output('repo-add', ['--quiet', '--sign', '--key', fingerprint, `${NAME}.db.tar.gz`, ...names], { cwd: here, env });
  }
  await writeFile(join(folder, `${NAME}.conf`), PACMAN);
}

const PACMAN = `# To the end of /etc/pacman.conf, with the URL at which machines find this folder, once the key is known:
#   pacman-key --add ${NAME}.asc && pacman-key --lsign-key FINGERPRINT
[${NAME}]
SigLevel = Required
Server = https://packages.example.org/arch/$arch
`;
