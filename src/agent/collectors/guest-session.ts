import { seconds } from '../../core/duration.ts';
import { type Collector, type CollectorTools, type HostAccess, UNKNOWN } from '../collector.ts';
import { displayManager } from './display-manager.ts';
import { dropIns } from './drop-ins.ts';
import { factsOf, textOf } from './lenient.ts';
import { parseSections, type Sections } from './parse-sections.ts';
import { seenOrKept } from './seen-or-kept.ts';

export const guestSession = {
  name: 'guest_session',
  describe: 'whether the login screen lets guests in without an account',
  timeout: seconds(30),
  collect: collectGuestSession,
} satisfies Collector;

/** Display managers that know no guests. */
const WITHOUT_GUESTS = [
  'cosmic-greeter',
  'gdm',
  'gdm3',
  'greetd',
  'lxdm',
  'ly',
  'ly@tty2',
  'plasmalogin',
  'sddm',
  'slim',
  'wdm',
  'xdm',
];

async function collectGuestSession(host: HostAccess, tools: CollectorTools): Promise<unknown> {
  const enabled = await lookForGuests(host);
  return (await seenOrKept(tools, 'enabled', enabled === undefined ? undefined : { enabled })) ?? { enabled: UNKNOWN };
}

/** @returns undefined where it cannot be told */
async function lookForGuests(host: HostAccess): Promise<boolean | undefined> {
  if (await hasXguest(host)) return true;
  const manager = await displayManager(host);
  if (manager === undefined || WITHOUT_GUESTS.includes(manager)) return (await isVisible(host)) ? false : undefined;
  return manager === 'lightdm' ? lightdmAllowsGuests(host) : undefined;
}

/** What has no link for a display manager must at least be seen to have none. */
async function isVisible(host: HostAccess): Promise<boolean> {
  return (await factsOf(host, '/etc')) !== undefined;
}

/** Fedora's xguest: an account without a password, which pam_sepermit lets in while SELinux enforces. */
async function hasXguest(host: HostAccess): Promise<boolean> {
  const shell = /^xguest:.*:(\S*)$/m.exec((await textOf(host, '/etc/passwd')) ?? '')?.[1];
  if (shell === undefined || /\/(nologin|false)$/.test(shell)) return false;
  return /^\s*xguest(:|\s|$)/m.test((await textOf(host, '/etc/security/sepermit.conf')) ?? '');
}

/** On unless it is switched off (all but `true` does that: LightDM's config_get_boolean), but only where the program is there that makes guests' accounts (Ubuntu's and Mint's LightDM). */
async function lightdmAllowsGuests(host: HostAccess): Promise<boolean> {
  const config = await readLightdm(host);
  const script = config.get('LightDM')?.get('guest-account-script') || 'guest-account';
  const there = script.startsWith('/')
    ? (await factsOf(host, script))?.kind === 'file'
    : (await host.find(script)) !== undefined;
  return there && seatValues(config, 'allow-guest', 'true').some((value) => value === 'true');
}

/** LightDM's files, as it reads them: those of the distribution, of /etc, and last lightdm.conf itself. */
export async function readLightdm(host: HostAccess): Promise<Sections> {
  const folders = ['/usr/share/lightdm', '/usr/local/share/lightdm', '/etc/xdg/lightdm', '/etc/lightdm'];
  const config: Sections = new Map();
  for (const folder of folders) {
    for (const text of await dropIns(host, [`${folder}/lightdm.conf.d`])) parseSections(text, config);
  }
  return parseSections((await textOf(host, '/etc/lightdm/lightdm.conf')) ?? '', config);
}

/** What a key is for each kind of seat: [Seat:*] (formerly [SeatDefaults]) is for all, and a seat of its own may say otherwise. */
export function seatValues(config: Sections, key: string, otherwise: string): string[] {
  const general = config.get('Seat:*')?.get(key) ?? config.get('SeatDefaults')?.get(key) ?? otherwise;
  const own = [...config].flatMap(([section, values]) =>
    section.startsWith('Seat:') && section !== 'Seat:*' ? (values.get(key) ?? []) : [],
  );
  return [general, ...own];
}
