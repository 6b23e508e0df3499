import { copyFile, mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { pack, run, signingKey } from './packages.ts';

/** One signed repository for apt, in which first an older version is, and then this one beside it. */
export interface Versions {
  /** holds the repository, in `deb` */
  folder: string;
  older: string;
  newer: string;
  release(): Promise<void>;
}

const OLDER = '0.0.9-1';

/** The same packages under an older version, of which one file is gone since. */
const AGE = `
  mkdir "$3" && cd "$3"
  dpkg-deb --raw-extract "$1" tree
  sed -i "s/^Version: .*/Version: $2/" tree/DEBIAN/control
  name=$(dpkg-deb --field "$1" Package)
  echo old >tree/usr/share/doc/$name/only-in-the-older
  dpkg-deb --root-owner-group -Zgzip -z1 --build tree "$(dirname "$1")/../older/$name.deb" >/dev/null
`;

/** With penguindome-runtime. What is built is not to be kept: it is packed for speed. */
export async function buildVersions(t: ExecutionContext): Promise<Versions> {
  t.timeout(600_000, 'building packages');
  const scratch = await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'versions-'));
  const [built, stage, folder] = ['built', 'stage', 'repository'].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  const key = await signingKey(scratch);
  await packFast(built);
  const debs = (await readdir(join(built, 'deb'))).filter((name) => name.endsWith('.deb')).sort();
  await mkdir(join(built, 'older'));
  await mkdir(join(stage, 'deb'), { recursive: true });
  for (const name of debs) {
    const file = join(built, 'deb', name);
    if (name.startsWith('penguindome-runtime')) await copyFile(file, join(stage, 'deb', name));
    else await run('sh', '-euc', AGE, 'sh', file, OLDER, join(scratch, `age-${name}`));
  }
  for (const name of await readdir(join(built, 'older'))) {
    await copyFile(join(built, 'older', name), join(stage, 'deb', `older-${name}`));
  }
  const publish = async () => void (await pack('repository', folder, '--sign', key, '--output', stage));
  await publish();
  return {
    folder,
    older: OLDER,
    newer: (await run('dpkg-deb', '--field', join(built, 'deb', debs[0] ?? ''), 'Version')).trim(),
    async release() {
      for (const name of debs) await copyFile(join(built, 'deb', name), join(stage, 'deb', name));
      await publish();
    },
  };
}

/** xz takes as long for the runtime as all the rest. */
async function packFast(built: string): Promise<void> {
  const before = process.env['DPKG_DEB_COMPRESSOR_LEVEL'];
  process.env['DPKG_DEB_COMPRESSOR_LEVEL'] = '0';
  try {
    await pack('deb', '--runtime', '--output', built);
  } finally {
    if (before === undefined) delete process.env['DPKG_DEB_COMPRESSOR_LEVEL'];
    else process.env['DPKG_DEB_COMPRESSOR_LEVEL'] = before;
  }
}
