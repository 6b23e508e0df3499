import type { HostAccess } from '../../collector.ts';
import { type GraphicalUser, type Lock, type Locker, locksAfter, never } from './lock.ts';
import { isFixed, type KConfig, parseKConfig } from './parse-kconfig.ts';
import { usersFile } from './users-file.ts';

const MINUTE = 60;
const FILE = 'kscreenlockerrc';
/** With the values that count where nothing is written (kscreenlocker's kscreenlockersettings.kcfg). */
const DEFAULTS = { Autolock: 'true', Timeout: '5', LockGrace: '5', Lock: 'true', RequirePassword: 'true' };
const DECIDING = ['Autolock', 'Timeout', 'LockGrace', 'Lock', 'RequirePassword'] as const;

/** Folders of settings for all: a session has two or three. */
const MOST_FOLDERS = 16;

/** The files say all; kreadconfig would say the same, a process for each key. */
export const kde: Locker = {
  look: async (host, user) => judge(await readSettings(host, user)),
  userCanChange: async (host, user) => {
    const config = await readSettings(host, user);
    return DECIDING.some((key) => !isFixed(config, 'Daemon', key));
  },
};

export function judge(config: KConfig): Lock {
  const of = (key: keyof typeof DEFAULTS) => config.groups.get('Daemon')?.get(key)?.value ?? DEFAULTS[key];
  if (!isTrue(of('Autolock'))) return never('Autolock is false');
  // Plasma 5 calls it Lock, Plasma 6 RequirePassword: the locked screen opens at the touch of a key.
  if (!isTrue(of('Lock')) || !isTrue(of('RequirePassword'))) return never('no password is asked for');
  const timeout = numberOr(of('Timeout'), DEFAULTS.Timeout);
  const grace = numberOr(of('LockGrace'), DEFAULTS.LockGrace);
  if (timeout <= 0) return never('Timeout is 0');
  if (grace < 0) return never('the time of grace does not end');
  // Within the time of grace the locked screen opens without a password.
  return locksAfter(Math.round(timeout * MINUTE) + grace);
}

async function readSettings(host: HostAccess, user: GraphicalUser): Promise<KConfig> {
  if (!host.isRoot) throw new Error("only root can read somebody else's settings");
  const { env, home } = user;
  const general = (env['XDG_CONFIG_DIRS'] || '/etc/xdg').split(':').filter((path) => path.startsWith('/'));
  if (general.length > MOST_FOLDERS) throw new Error(`XDG_CONFIG_DIRS names more than ${MOST_FOLDERS} folders`);
  const own = env['XDG_CONFIG_HOME'] || `${home}/.config`;
  const paths = [...general.reverse(), own].map((folder) => `${folder}/${FILE}`);
  const texts = await Promise.all(paths.map((path) => usersFile(host, user, path)));
  return parseKConfig(texts.filter((text) => text !== undefined));
}

/** KConfig takes everything else for true. */
function isTrue(value: string): boolean {
  return !['false', 'no', 'off', '0'].includes(value.toLowerCase());
}

function numberOr(value: string, otherwise: string): number {
  return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : Number(otherwise);
}
