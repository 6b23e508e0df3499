import type { HostAccess } from '../../collector.ts';
import { displayManager } from '../display-manager.ts';
import { lockerBySettings } from './gsettings.ts';
import { type GraphicalUser, type Locker, never } from './lock.ts';

/** Budgie, Unity and GNOME Flashback have lockers of their own, which read GNOME's settings. */
export const gnomeSettings = lockerBySettings({
  screensaver: 'org.gnome.desktop.screensaver',
  session: 'org.gnome.desktop.session',
  lockdown: 'org.gnome.desktop.lockdown',
  unit: { lock: 1, idle: 1 },
  // "This key is deprecated and ignored", says the schema.
  idleActivation: false,
});

export const gnome: Locker = {
  ...gnomeSettings,
  look: async (host: HostAccess, user: GraphicalUser) => {
    // The lock screen is GDM's: gnome-shell asks for it on the system bus, and has none without (js/misc/loginManager.js, canLock).
    const manager = await displayManager(host);
    if (manager !== undefined && !manager.startsWith('gdm')) {
      return never(`GNOME locks with GDM only, and the display manager is ${manager}`);
    }
    return gnomeSettings.look(host, user);
  },
};
