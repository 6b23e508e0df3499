import type { FactDoc } from '../doc.ts';
import { autoLogin } from './auto-login.ts';
import { lid } from './lid.ts';
import { screenLock } from './screen-lock.ts';

export const sessionDocs: readonly FactDoc[] = [
  {
    fact: autoLogin,
    tells:
      'who is let in without a password when the machine has started, by the display manager that systemd starts or on a text console; ' +
      'unknown with a display manager that we do not know',
    reads: [
      '`/etc/systemd/system/display-manager.service`',
      'the settings of GDM, SDDM, LightDM, LXDM and greetd',
      'units and drop-ins of gettys (`--autologin`)',
    ],
    shape: '{enabled: true | false | "unknown", logins: [{by, user}]}',
    cost: '5 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'real', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['the commented configuration files of gdm3, sddm, lightdm and greetd', 'sddm.conf(5)', 'agetty(8)'],
  },
  {
    fact: lid,
    tells: "what logind does when the lid closes; desktops may do it in logind's place. Left out where there is no lid",
    reads: ['`/proc/bus/input/devices`', '`logind.conf` and its drop-ins'],
    shape: '{action, external_power, docked}, each "suspend" | "lock" | "ignore" | … as in logind.conf(5)',
    cost: '2 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['logind.conf(5)', '/proc/bus/input/devices of a laptop'],
  },
  {
    fact: screenLock,
    tells:
      'what `screenlock` says, with the reason where the screen does not lock, and whether the user can change that ' +
      '(all settings that decide are locked by the administrator in dconf, KDE or xfconf, there by `unlocked="root"`: `locked="*"` locks nothing; ' +
      "what only the user's own files or environment lock does not count); kept as `screenlock` is",
    reads: ['as `screenlock`', '`gsettings writable`'],
    root: '"unknown" for each user',
    shape: '{users: [{user, desktops, enabled, delay | why, user_can_change: true | false | "unknown"}], cached_at?}',
    cost: '50 ms for each user of GNOME, Cinnamon or MATE, 20 ms of others',
    tested: { 'debian-12': 'output', 'debian-13': 'real', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: [
      'gsettings(1) and kreadconfig6 of Debian 13',
      "xfce4-screensaver's gs-prefs.h, xfconf-query's main.c, and xfconfd's xfconf-backend-perchannel-xml.c (xfconfd and dconf of Debian 12 were tried)",
      "kscreenlocker's kscreenlockersettings.kcfg",
      'swayidle(1)',
      'the wiki of Hyprland (hypridle)',
      'xautolock(1), xss-lock(1), light-locker(1)',
    ],
  },
];
