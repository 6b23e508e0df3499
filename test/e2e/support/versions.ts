import { copyFile, mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { buildPackages, pack, run } from './packages.ts';

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
  dpkg-deb --root-owner-group -Zgzip -z1 --build tree "$4" >/dev/null
`;

/** With penguindome-runtime. */
export async function buildVersions(t: ExecutionContext): Promise<Versions> {
  const { built, key } = await buildPackages(t, 'deb-with-runtime');
  const scratch = await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'versions-'));
  const [stage, folder] = [join(scratch, 'stage'), join(scratch, 'repository')];
  const debs = (await readdir(join(built, 'deb'))).filter((name) => name.endsWith('.deb')).sort();
  await mkdir(join(stage, 'deb'), { recursive: true });
  for (const name of debs) {
    const [file, kept] = [join(built, 'deb', name), join(stage, 'deb', name)];
    if (name.startsWith('penguindome-runtime')) await copyFile(file, kept);
    else
      await run(
        'sh',
        '-euc',
        AGE,
        'sh',
        file,
        OLDER,
        join(scratch, `age-${name}`),
        join(stage, 'deb', `older-${name}`),
      );
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
