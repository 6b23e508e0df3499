import type { HostAccess } from '../../collector.ts';
import { lockerBySettings } from './gsettings.ts';
import { type GraphicalUser, type Locker, never } from './lock.ts';
import { named } from './processes.ts';
import { x11 } from './x11.ts';

const MINUTE = 60;

const settings = lockerBySettings({
  screensaver: 'org.mate.screensaver',
  session: 'org.mate.session',
  lockdown: 'org.mate.lockdown',
  unit: { lock: MINUTE, idle: MINUTE },
  idleActivation: true,
});

/** mate-screensaver does it, where it runs; people replace it. */
export const mate: Locker = {
  ...settings,
  look: async (host: HostAccess, user: GraphicalUser) => {
    if (named(user.processes, 'mate-screensaver') !== undefined) return settings.look(host, user);
    const other = await x11.look(host, user);
    return other.locks === false ? never('mate-screensaver does not run, nor another locker') : other;
  },
};
