import { mkdir, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { minutes } from '../../core/duration.ts';
import type { HostAccess } from '../collector.ts';
import { readPacmanConf } from '../collectors/pacman-conf.ts';
import type { PacmanConf } from '../collectors/parse-pacman-conf.ts';

type Repository = PacmanConf['repositories'][number];

/** Of files below `sync`: nothing that leads elsewhere. */
const NAME = /^[\w@+][\w@.+-]*$/;
const LARGEST = 256 * 1024 * 1024;
const DATABASE = '/var/lib/pacman';

/**
 * Makes the folder one that `pacman --dbpath` takes: the machine's own packages, and lists of the repositories as their servers have them now.
 * pacman itself fetches lists for root only, and `checkupdates` plays root (fakeroot); curl, which pacman brings, need not.
 */
export async function fetchPacmanLists(host: HostAccess, folder: string): Promise<void> {
  const conf = await readPacmanConf(host);
  if (conf === undefined) throw new Error('cannot fetch lists: pacman-conf does not tell where from');
  const curl = await host.find('curl');
  if (curl === undefined) throw new Error('cannot fetch lists without curl (package curl)');
  const sync = join(folder, 'sync');
  await mkdir(sync, { recursive: true });
  await linkTo(join(conf.options.get('DBPath')?.[0] ?? DATABASE, 'local'), join(folder, 'local'));
  const wanted = new Set<string>();
  for (const repository of conf.repositories) {
    const files = filesOf(repository);
    for (const file of files) wanted.add(file);
    await fetchFrom(host, curl, repository, files, sync);
  }
  for (const file of await readdir(sync)) if (!wanted.has(file)) await rm(join(sync, file), { force: true });
}

async function linkTo(target: string, path: string): Promise<void> {
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await rm(path, { recursive: true, force: true });
  await symlink(target, path);
}

/** pacman refuses a list without a signature only where that is required. */
function filesOf({ name, settings }: Repository): string[] {
  if (!NAME.test(name)) throw new Error(`cannot fetch the list of ${JSON.stringify(name)}: that is no name of a file`);
  const signed = settings.get('SigLevel')?.includes('DatabaseRequired') ?? false;
  return signed ? [`${name}.db`, `${name}.db.sig`] : [`${name}.db`];
}

/** From the first server that answers, as pacman does. */
async function fetchFrom(
  host: HostAccess,
  curl: string,
  { name, settings }: Repository,
  files: readonly string[],
  sync: string,
): Promise<void> {
  let reason = 'pacman.conf names no server';
  for (const server of settings.get('Server') ?? []) {
    const problem = await fetchAll(host, curl, server, files, sync);
    if (problem === undefined) return;
    reason = problem;
  }
  throw new Error(`cannot fetch the list of ${name}: ${reason}`);
}

async function fetchAll(
  host: HostAccess,
  curl: string,
  server: string,
  files: readonly string[],
  sync: string,
): Promise<string | undefined> {
  for (const file of files) {
    const problem = await fetchOne(host, curl, `${server}/${file}`, join(sync, file));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** One that is as new as ours is not sent: curl leaves nothing then. @returns why there is none */
async function fetchOne(host: HostAccess, curl: string, url: string, path: string): Promise<string | undefined> {
  const part = `${path}.part`;
  await rm(part, { force: true });
  const known = await sizeOf(path);
  const { code, stderr } = await host.run(
    curl,
    [
      ...'--silent --show-error --fail --globoff --location --max-redirs 5 --connect-timeout 10 --max-time 300'.split(
        ' ',
      ),
      ...['--proto', '=https,http,file', '--proto-redir', '=https,http', '--max-filesize', String(LARGEST)],
      ...(known > 0 ? ['--time-cond', path] : []),
      ...['--remote-time', '--output', part, '--url', url],
    ],
    { timeout: minutes(6) },
  );
  if (code !== 0) {
    await rm(part, { force: true });
    return stderr.trim().split('\n').at(-1) || `curl ended with ${code}`;
  }
  if ((await sizeOf(part)) > 0) await rename(part, path);
  else if (known === 0) return 'the server sent nothing';
  return undefined;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
