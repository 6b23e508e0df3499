import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Db, ObjectId } from 'mongodb';
import { gpgHome } from './gpg.ts';
import { scratchFolder } from './scratch.ts';

const FIXTURES = 'test/fixtures/penguindome-v1';
/** Of README's example: hashes as the original's bin/save_password makes them. */
export const FRED = '$pbkdf2-sha256$200000$AcAYQ8j5X0tpzRkD4HwvxQ$.EIGFP/1iRPNabcPHw8bOvR.MbYVWFXauC2jJV5hleo';
export const DOWNLOADER = '$pbkdf2-sha256$200000$kDKGUCpl7B3jXGutFYLwHg$lQfA3HrPZVIVjKCUhDkDYMtkeuTRKbb6UxqnUeLzV0k';

/** One for all tests of a file; what the runner removes in the end. */
let keyring: Promise<string> | undefined;

async function makeKeyring(t: ExecutionContext): Promise<string> {
  const gpg = await gpgHome(t);
  await gpg(['--import', join(FIXTURES, 'server-secret.asc')]);
  await gpg(['--import', join(FIXTURES, 'client-public.asc')]);
  const kept = await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'keyring-'));
  // sockets of the agent that still runs are no files to copy
  await cp(gpg.home, kept, { recursive: true, filter: (path) => !/\/S\.[^/]*$/.test(path) });
  return kept;
}

/** An original's folder: its keyring made by the real gpg, with the settings given. */
export async function originalFolder(
  t: ExecutionContext,
  { server, client }: { server: string; client?: string },
): Promise<string> {
  keyring ??= makeKeyring(t);
  const dir = await scratchFolder(t);
  await mkdir(join(dir, 'server'));
  await mkdir(join(dir, 'client'));
  await cp(await keyring, join(dir, 'server/keyring'), { recursive: true });
  await writeFile(join(dir, 'server/settings.yml'), server);
  if (client !== undefined) await writeFile(join(dir, 'client/settings.yml'), client);
  return dir;
}

const at = (day: number) => new Date(Date.UTC(2024, 9, day, 10, 0, 0, 123));

/** What the original keeps of two hosts, with its own indexes. */
export async function fillOriginal(db: Db): Promise<void> {
  await db.collection('clients').createIndex({ hostname: 1 }, { unique: true });
  await db.collection('clients').createIndex({ suspended: 1 });
  await db.collection('clients').insertMany([
    {
      hostname: 'work',
      submitted_at: at(3),
      plugins: { submitted_at: at(3), firewall: { status: 'on' }, sshd: { running: false }, a·b: [1, 2.5, null] },
      commands: { uptime: { output: 'up', submitted_at: at(2) } },
    },
    { hostname: 'home', submitted_at: at(1), suspended: true, plugins: { submitted_at: at(1), firewall: 'unknown' } },
  ]);
  await db.collection('client_parameters').insertMany([
    { hostname: 'work', parameter: 'user_email', value: ['fred@example.org'], updated_at: at(1) },
    { hostname: 'work', parameter: 'user_clients', value: ['home'], updated_at: at(1) },
    { hostname: 'home', parameter: 'user_clients', value: ['work'], updated_at: at(1) },
    { hostname: 'home', parameter: 'user_email', value: null, updated_at: at(1) },
  ]);
  await db.collection('issues').insertMany([
    { hostname: 'work', name: 'no-location', opened_at: at(2) },
    { hostname: 'home', name: 'not-reporting', opened_at: at(1), alerted_at: at(2), closed_at: at(3) },
  ]);
  await db.collection('audit_trail').insertMany([
    { hostname: 'work', audited_at: at(3), key: 'plugins.sshd.running', type: 'change', old: true, new: false },
    { hostname: 'work', audited_at: at(2), key: 'plugins.eset', action: 'delete', old: { running: true } },
  ]);
  await db.collection('patches').insertOne({
    _id: new ObjectId('65f0a1b2c3d4e5f6a7b8c9d0'),
    submitted_at: at(1),
    pending_hosts: ['home'],
    completed_hosts: ['work'],
    files: [{ path: 'client/commands/x', mode: 0o755, content: 'Iw==' }],
  });
}

export const FILLED = { clients: 2, client_parameters: 4, issues: 2, audit_trail: 2, patches: 1 };

/** All that the database holds, its indexes too: for comparing. */
export async function dumpDatabase(db: Db): Promise<unknown> {
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
  return Promise.all(
    names.map(async (name) => ({
      name,
      indexes: await db.collection(name).indexes(),
      documents: await db
        .collection(name)
        .find({}, { sort: { _id: 1 } })
        .toArray(),
    })),
  );
}
