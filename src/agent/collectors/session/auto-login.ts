import type { HostAccess } from '../../collector.ts';
import { displayManager } from '../display-manager.ts';
import { dropIns } from '../drop-ins.ts';
import { type Fact, unknown } from '../group.ts';
import { readLightdm, seatValues } from '../guest-session.ts';
import { textOf } from '../lenient.ts';
import { parseSections } from '../parse-sections.ts';
import { gettyLogins } from './getty-logins.ts';

/** Somebody who is let in without a password when the machine has started. */
export interface AutoLogin {
  by: string;
  user: string;
}

export const autoLogin: Fact = {
  name: 'auto_login',
  look: async (host: HostAccess) => {
    const manager = await displayManager(host);
    const look = manager === undefined ? async () => [] : MANAGERS[manager];
    const logins = [...((await look?.(host)) ?? []), ...(await gettyLogins(host))];
    logins.sort((a, b) => (`${a.by} ${a.user}` < `${b.by} ${b.user}` ? -1 : 1));
    const enabled =
      logins.length > 0 || look !== undefined
        ? logins.length > 0
        : unknown(`${manager} is a display manager that we do not know`);
    return { enabled, logins };
  },
};

const MANAGERS: Readonly<Record<string, (host: HostAccess) => Promise<AutoLogin[]>>> = {
  gdm: gdmLogins,
  gdm3: gdmLogins,
  greetd: greetdLogins,
  lightdm: lightdmLogins,
  lxdm: async (host) =>
    login(
      'lxdm',
      parseSections((await textOf(host, '/etc/lxdm/lxdm.conf')) ?? '')
        .get('base')
        ?.get('autologin'),
    ),
  sddm: sddmLogins,
};

function login(by: string, user: string | undefined): AutoLogin[] {
  return user ? [{ by, user }] : [];
}

/** Debian's daemon.conf, others' custom.conf, and over them what a live system writes below /run. A user alone does nothing. */
async function gdmLogins(host: HostAccess): Promise<AutoLogin[]> {
  const files = ['gdm3/daemon.conf', 'gdm/custom.conf', 'gdm3/custom.conf'].map((name) => `/etc/${name}`);
  const config = parseSections('');
  for (const file of [...files, '/run/gdm/custom.conf', '/run/gdm3/custom.conf']) {
    parseSections((await textOf(host, file)) ?? '', config);
  }
  const daemon = config.get('daemon');
  const isOn = (key: string) => ['true', '1'].includes(daemon?.get(key)?.toLowerCase() ?? '');
  const at = [
    ...(isOn('AutomaticLoginEnable') ? login('gdm', daemon?.get('AutomaticLogin')) : []),
    ...(isOn('TimedLoginEnable') ? login('gdm', daemon?.get('TimedLogin')) : []),
  ];
  return at.filter((one, index) => at.findIndex(({ user }) => user === one.user) === index);
}

/** sddm.conf(5): what is in sddm.conf itself counts most. */
async function sddmLogins(host: HostAccess): Promise<AutoLogin[]> {
  const config = parseSections('');
  for (const folder of ['/usr/lib/sddm/sddm.conf.d', '/etc/sddm.conf.d']) {
    for (const text of await dropIns(host, [folder])) parseSections(text, config);
  }
  parseSections((await textOf(host, '/etc/sddm.conf')) ?? '', config);
  return login('sddm', config.get('Autologin')?.get('User'));
}

async function lightdmLogins(host: HostAccess): Promise<AutoLogin[]> {
  const config = await readLightdm(host);
  const users = seatValues(config, 'autologin-user', '').flatMap((user) => login('lightdm', user));
  const guests = seatValues(config, 'autologin-guest', 'false').includes('true') ? login('lightdm', 'guest') : [];
  return [...users, ...guests].filter((one, index, all) => all.findIndex(({ user }) => user === one.user) === index);
}

/** greetd(5): `[initial_session]` with `user = "…"`. */
async function greetdLogins(host: HostAccess): Promise<AutoLogin[]> {
  const session = parseSections((await textOf(host, '/etc/greetd/config.toml')) ?? '').get('initial_session');
  const user = /^(["'])(.*?)\1/.exec(session?.get('user') ?? '')?.[2];
  return session?.get('command') === undefined ? [] : login('greetd', user);
}
