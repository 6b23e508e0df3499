import { messageOf } from '../../../core/errors.ts';
import type { HostAccess } from '../../collector.ts';
import { cinnamon } from './cinnamon.ts';
import { gnome, gnomeSettings } from './gnome.ts';
import { kde } from './kde.ts';
import { cannotTell, type GraphicalUser, type Lock, type Locker, worst } from './lock.ts';
import { mate } from './mate.ts';
import { wayland } from './wayland.ts';
import { x11 } from './x11.ts';
import { xfce } from './xfce.ts';

const LOCKERS: Readonly<Record<string, Locker>> = {
  budgie: gnomeSettings,
  cinnamon,
  gnome,
  'gnome-flashback': gnomeSettings,
  hyprland: wayland,
  i3: x11,
  kde,
  mate,
  sway: wayland,
  unity: gnomeSettings,
  wlroots: wayland,
  x11,
  xfce,
};

/** Never rejects. */
export async function lockOf(host: HostAccess, user: GraphicalUser): Promise<Lock> {
  const locks = await Promise.all(
    user.desktops.map(async (desktop): Promise<Lock> => {
      try {
        const locker = LOCKERS[desktop];
        return locker === undefined ? cannotTell('it is a desktop that we do not know') : await locker.look(host, user);
      } catch (error) {
        return cannotTell(messageOf(error));
      }
    }),
  );
  return worst(locks) ?? cannotTell('there is no session');
}

/**
 * Whether the user can switch off or put off the lock of any of the sessions. What is fixed has to be so both where the administrator fixes
 * things and in the session, whose environment, with the files that it names, is the user's to choose. Never rejects.
 * @returns undefined where it cannot be told
 */
export async function canChangeLock(host: HostAccess, user: GraphicalUser): Promise<boolean | undefined> {
  const answers: (boolean | undefined)[] = [];
  for (const view of [withoutOwnFolders(user), user]) {
    const answer = await askAll(host, view).catch(() => undefined);
    if (answer === true) return true;
    answers.push(answer);
  }
  return answers.includes(undefined) ? undefined : false;
}

async function askAll(host: HostAccess, user: GraphicalUser): Promise<boolean | undefined> {
  const answers = await Promise.all(user.desktops.map((desktop) => LOCKERS[desktop]?.userCanChange(host, user)));
  return answers.includes(true) || (answers.includes(undefined) ? undefined : false);
}

/** With the machine's own profiles of dconf, schemas and settings, and none of the user's. */
function withoutOwnFolders(user: GraphicalUser): GraphicalUser {
  const { DCONF_PROFILE, GSETTINGS_BACKEND, XDG_CONFIG_DIRS, XDG_DATA_DIRS, ...env } = user.env;
  return { ...user, env: { ...env, XDG_CONFIG_HOME: '/etc/xdg', XDG_DATA_HOME: '/usr/share' } };
}
