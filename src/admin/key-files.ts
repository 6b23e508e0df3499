import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { messageOf, OperatorError } from '../core/errors.ts';
import { type FileOwner, writeAtomically } from '../settings/atomic-write.ts';
import { clientSettingsFile } from '../settings/client-settings-file.ts';
import { parseServerSettings } from '../settings/load-server-settings.ts';
import { ORDER_KEYS, REVOCATIONS } from '../settings/order-key-files.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { tlsFolder } from '../settings/tls-folder.ts';
import type { KeyFile } from '../store/backup/format.ts';
import { HEAD_FILE } from '../store/operator-log/open.ts';
import { accountsOwner } from './edit-accounts.ts';
import { ensureFolder, ensureTlsFolder, exists, readIfThere, statIfThere } from './ensure-files.ts';
import { isRoot } from './is-root.ts';
import { isNamed, readKeyFile } from './named-files.ts';
import { SERVICE_STATE, serviceOwner } from './setup-layout.ts';

type Folders = Pick<ServerSettings, 'pki' | 'keys' | 'accounts' | 'state' | 'store'>;

/** All that makes this server itself, besides its store: settings, accounts, the site's authority, certificates and keys. */
export async function readKeyFiles(
  settingsFile: string,
  settings: Pick<Folders, 'pki' | 'keys' | 'accounts' | 'state'>,
): Promise<KeyFile[]> {
  const files: KeyFile[] = [await readKeyFile('server.yml', settingsFile)];
  const wanted = clientSettingsFile(settingsFile);
  if (await exists(wanted)) files.push(await readKeyFile('client-settings.yml', wanted));
  if (await exists(settings.accounts)) files.push(await readKeyFile(ACCOUNTS, settings.accounts));
  for (const [part, folder] of Object.entries(partsOf(settings))) {
    // there are no certificates that were made here where all are the administrator's own
    const names = part === 'tls' && !(await exists(folder)) ? [] : await readdir(folder, { withFileTypes: true });
    // the head belongs to the log of this very machine, which stays through a restore
    const wanted = names.filter(({ name }) => !name.startsWith('.') && name !== HEAD_FILE);
    for (const entry of wanted.filter((each) => each.isFile())) {
      files.push(await readKeyFile(`${part}/${entry.name}`, join(folder, entry.name)));
    }
  }
  return files;
}

/** Folders by their names in a backup. */
function partsOf(settings: Pick<Folders, 'pki' | 'keys' | 'state'>): Record<string, string> {
  return { pki: settings.pki, keys: settings.keys, tls: tlsFolder(settings) };
}

/** Its name in a backup, whatever the settings call it. */
const ACCOUNTS = 'accounts.yml';

/** Where the files of a backup go. */
export function placesOf(files: KeyFile[], settingsFile: string, settings: Folders | undefined): Map<string, KeyFile> {
  const folders = settings ?? settingsOf(files, settingsFile);
  const places = new Map<string, KeyFile>();
  for (const file of files.filter((each) => !isNamed(each))) {
    const [part, name] = file.file.split('/');
    if (part === 'client-settings.yml') places.set(clientSettingsFile(settingsFile), file);
    else if (file.file === ACCOUNTS) places.set(folders.accounts, file);
    else if (name === undefined) places.set(settingsFile, file);
    else places.set(join(partsOf(folders)[part ?? ''] ?? folders.keys, name), file);
  }
  return places;
}

export function settingsOf(files: KeyFile[], settingsFile: string): ServerSettings {
  const settings = files.find(({ file }) => file === 'server.yml');
  if (settings === undefined) throw new OperatorError('cannot restore keys: the backup holds no settings');
  return parseServerSettings(Buffer.from(settings.content).toString('utf8'), settingsFile);
}

/**
 * What of it is to be written: files that are there as they are in the backup are left alone.
 * So are lists of keys that are newer here. @throws OperatorError where one is there with other content, unless `force`
 */
export async function choosePlaces(places: Map<string, KeyFile>, force: boolean): Promise<Map<string, KeyFile>> {
  const wanted = new Map<string, KeyFile>();
  const different: string[] = [];
  for (const [path, file] of places) {
    const there = await readIfThere(path);
    const content = textOf(file);
    if (there === content || (there !== undefined && isNewer(path, there, content))) continue;
    if (there !== undefined) different.push(path);
    wanted.set(path, file);
  }
  if (different.length === 0 || force) return wanted;
  const list = different.map((path) => `  ${path}`).join('\n');
  throw new OperatorError(`cannot put the keys back: other ones are there already (--force overwrites them):\n${list}`);
}

export const textOf = ({ content }: KeyFile) => Buffer.from(content).toString('utf8');

const AUTHORITY = ['ca.crt', 'ca.key'];
const ORDER_SECRET = /^order(-\d+)?\.asc$/;

/** Lists of keys that only grow: an older backup's would bring back what was revoked or replaced since. */
export function isNewer(path: string, there: string, restored: string): boolean {
  if (![REVOCATIONS, ORDER_KEYS].includes(basename(path))) return false;
  return lengthOf(there) > lengthOf(restored);
}

/** The number of a list of revocations, or how many statements there are; what cannot be read is replaced. */
function lengthOf(text: string): number {
  const list = z
    .union([
      z.object({ statement: z.object({ number: z.number() }) }).transform(({ statement }) => statement.number),
      z.object({ statements: z.array(z.unknown()) }).transform(({ statements }) => statements.length),
    ])
    .safeParse(parseJson(text));
  return list.success ? list.data : -1;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Each file whole or not at all, with the mode it had. Written by root, it is whose setup would have made it; folders that are missing
 * are made as setup makes them, so that the server can start.
 */
export async function writeKeyFiles(places: Map<string, KeyFile>, folders: Folders): Promise<void> {
  const server = await serverOwner(folders.state);
  await ensureFolder(folders.pki, 0o750, server && { uid: 0, gid: server.gid });
  await ensureFolder(folders.keys, 0o700, server);
  await ensureFolder(folders.state, 0o750, server);
  // certificates are the server's own, as its state is
  if ([...places.keys()].some((path) => dirname(path) === tlsFolder(folders))) await ensureTlsFolder(folders, server);
  if (folders.store.kind === 'embedded') await ensureFolder(dirname(folders.store.file), 0o700, server);
  for (const [path, { content, mode }] of places) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o755 });
      const owner = await ownerOf({ path, mode }, folders, server);
      await writeAtomically(path, content, { mode, ...(owner === undefined ? {} : { owner }) });
    } catch (cause) {
      throw new OperatorError(`cannot write ${path}: ${messageOf(cause)}`, { cause });
    }
  }
}

/** The server's user, where root restores: whoever has its state folder, which a package brings. */
async function serverOwner(state: string): Promise<FileOwner | undefined> {
  if (!isRoot()) return undefined;
  const folder = await statIfThere(state);
  if (folder !== undefined) return { uid: folder.uid, gid: folder.gid };
  return state === SERVICE_STATE ? serviceOwner(undefined) : undefined;
}

/** What signs orders, and what makes certificates, is not the server's own. */
async function ownerOf(
  { path, mode }: { path: string; mode: number },
  folders: Folders,
  server: FileOwner | undefined,
): Promise<FileOwner | undefined> {
  if (!isRoot()) return undefined;
  const [folder, name] = [dirname(path), basename(path)];
  if (path === folders.accounts) return accountsOwner(folders.state);
  if (folder === tlsFolder(folders)) return server;
  if (folder === folders.keys) return ORDER_SECRET.test(name) ? undefined : server;
  if (folder === folders.pki) return AUTHORITY.includes(name) ? await stat(folder) : server;
  // a secret elsewhere that settings name: the server could read it
  if ((mode & 0o077) === 0) return server;
  const { uid, gid } = await stat(folder);
  // not everybody's to read: the server reads it by its group
  return (mode & 0o004) === 0 && server !== undefined ? { uid, gid: server.gid } : { uid, gid };
}
