import { lockerBySettings } from './gsettings.ts';

export const cinnamon = lockerBySettings({
  screensaver: 'org.cinnamon.desktop.screensaver',
  session: 'org.cinnamon.desktop.session',
  lockdown: 'org.cinnamon.desktop.lockdown',
  unit: { lock: 1, idle: 1 },
  idleActivation: true,
});
