import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { madeOnce } from './made-once.ts';
import { buildPackages, run } from './packages.ts';

/** A signed repository as MongoDB's: one package, around the tests' own mongod. Nobody writes below. */
interface MongodbPackages {
  /** the repository */
  folder: string;
  suite: string;
  /** file of the key, armored */
  key: string;
}

const SUITE = 'bookworm/mongodb-org/6.0';
const PARTS = 'test/fixtures/mongodb-org-server';

/** A large file of which nobody keeps the package: not compressed. */
const BUILD = `
  scratch=$1 mongod=$2 parts=$3 suite=$4 key=$5
  tree=$scratch/tree
  install -D -m 755 "$mongod" "$tree/usr/bin/mongod"
  install -D -m 644 "$parts/mongod.conf" "$tree/etc/mongod.conf"
  install -D -m 644 "$parts/mongod.service" "$tree/lib/systemd/system/mongod.service"
  install -D -m 644 "$parts/control" "$tree/DEBIAN/control"
  install -m 755 "$parts/postinst" "$tree/DEBIAN/postinst"
  echo /etc/mongod.conf >"$tree/DEBIAN/conffiles"
  mkdir -p "$scratch/repository/pool" "$scratch/repository/dists/$suite/main/binary-amd64"
  dpkg-deb --root-owner-group -Znone --build "$tree" "$scratch/repository/pool/mongodb-org-server_6.0.5_amd64.deb"
  rm -r "$tree"
  cd "$scratch/repository"
  apt-ftparchive packages pool >"dists/$suite/main/binary-amd64/Packages"
  cd "dists/$suite"
  apt-ftparchive -o APT::FTPArchive::Release::Components=main -o APT::FTPArchive::Release::Architectures=amd64 release . >"$scratch/Release"
  mv "$scratch/Release" Release
  export GNUPGHOME="$scratch/keys"
  mkdir -m 700 "$GNUPGHOME"
  gpg --batch --quiet --import "$key"
  gpg --batch --quiet --clearsign --output InRelease Release
  gpg --batch --quiet --armor --export >"$scratch/mongodb.asc"
  gpgconf --kill all
`;

/** Once for all test files of a run. */
export async function mongodbPackages(t: ExecutionContext): Promise<MongodbPackages> {
  const { key } = await buildPackages(t, 'deb');
  const mongod = process.env['PENGUINDOME_TEST_MONGOD'] ?? '';
  const made = await madeOnce('mongodb-packages', async (scratch) => {
    await run('sh', '-euc', BUILD, 'sh', scratch, mongod, join(process.cwd(), PARTS), SUITE, key);
  });
  return { folder: join(made, 'repository'), suite: SUITE, key: join(made, 'mongodb.asc') };
}
