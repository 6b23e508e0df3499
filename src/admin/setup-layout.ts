import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileOwner } from '../settings/atomic-write.ts';
import { isRoot } from './is-root.ts';

/** Where a server's files go. Settings name their folders, so this is asked only while there are none. */
export interface Layout {
  settings: string;
  pki: string;
  keys: string;
  state: string;
  store: string;
  /** the site's own checks */
  checks: string;
}

const SERVICE_USER = 'penguindome-server';
export const SERVICE_STATE = '/var/lib/penguindome-server';

/** Everything below one folder, or split as packages do: settings and keys beside the settings file, data under /var/lib. */
export function layoutOf(dir: string | undefined, settingsFile: string): Layout {
  const etc = dir ?? dirname(settingsFile);
  const data = dir ?? SERVICE_STATE;
  return {
    settings: dir === undefined ? settingsFile : join(dir, 'server.yml'),
    pki: join(etc, 'pki'),
    keys: join(etc, 'keys'),
    state: dir === undefined ? data : join(data, 'state'),
    store: join(data, 'store'),
    checks: join(etc, 'checks.d'),
  };
}

/**
 * Whom the server's files are to belong to: the service's own user, where root sets up a whole system that has one.
 * @returns undefined where files stay with whoever runs this
 */
export async function serviceOwner(
  dir: string | undefined,
  { root = isRoot(), users = '/etc/passwd' }: { root?: boolean; users?: string } = {},
): Promise<FileOwner | undefined> {
  if (dir !== undefined || !root) return undefined;
  const lines = (await readFile(users, 'utf8')).split('\n').map((line) => line.split(':'));
  const found = lines.find(([name]) => name === SERVICE_USER);
  return found === undefined ? undefined : { uid: Number(found[2]), gid: Number(found[3]) };
}
