// Has the distributions' own tools make packages of the payload: debian/ and arch/ are copied beside it, and only map it.
import { cp, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { root } from '../install.mjs';
import { emptyFolder } from './empty-folder.mjs';
import { output } from './output.mjs';
import { makePayload } from './payload.mjs';

/** A site package that somebody put beside them (penguindome site-package), too. */
const BUILT = /^penguindome[\w.~+-]*\.(deb|changes|buildinfo|pkg\.tar\.(zst|gz))$/;
const BUILDERS = { deb: buildDebs, arch: buildArch };

/** @returns paths of the packages, in OUTPUT/deb or OUTPUT/arch */
export async function buildPackages(kind, { output: folder, epoch, runtime }) {
  const work = join(resolve(folder), `work-${kind}`);
  const done = join(resolve(folder), kind);
  // The folder's name is in what tools record of a build.
  await emptyFolder(work, (name) => name === 'penguindome' || BUILT.test(name));
  await emptyFolder(done, (name) => BUILT.test(name));
  const source = join(work, 'penguindome');
  await makePayload(join(source, 'payload'), { epoch, runtime });
  await cp(`${root}packaging/package`, join(source, 'packaging/package'), { recursive: true });
  const made = await BUILDERS[kind]({ work, source, epoch, runtime });
  const files = [];
  for (const file of made.sort()) {
    await rename(join(work, file), join(done, file));
    files.push(join(done, file));
  }
  await rm(work, { recursive: true });
  return files;
}

/** Without asking for the build dependencies: Node may be another one than Debian's. */
async function buildDebs({ work, source, epoch, runtime }) {
  await cp(`${root}debian`, join(source, 'debian'), { recursive: true });
  await cp(`${root}CHANGELOG.md`, join(source, 'CHANGELOG.md'));
  output(
    'dpkg-buildpackage',
    ['-us', '-uc', '-b', '-d', ...(runtime ? ['--build-profiles=pkg.penguindome.runtime'] : [])],
    {
      cwd: source,
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch), DEB_BUILD_OPTIONS: 'nocheck' },
    },
  );
  return (await readdir(work)).filter((name) => /\.(deb|changes|buildinfo)$/.test(name));
}

async function buildArch({ work, source, epoch, runtime }) {
  await cp(`${root}arch`, source, { recursive: true });
  // makepkg will not run as root; in a user namespace of its own, it does not.
  const asSomebody = process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'] : [];
  const [command, ...args] = [
    ...asSomebody,
    'makepkg',
    '--force',
    '--nodeps',
    '--config',
    join(source, 'makepkg.conf'),
  ];
  output(command, args, {
    cwd: source,
    env: {
      ...process.env,
      SOURCE_DATE_EPOCH: String(epoch),
      PKGDEST: work,
      BUILDDIR: source,
      PENGUINDOME_RUNTIME: runtime ? '1' : '',
    },
  });
  return (await readdir(work)).filter((name) => /\.pkg\.tar\.zst$/.test(name));
}
