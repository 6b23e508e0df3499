import { seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { type LoginSession, loginSessions } from '../../login-sessions.ts';
import { textOf } from '../lenient.ts';
import type { GraphicalUser } from './lock.ts';
import { desktopOfProgram, nameDesktop } from './name-desktop.ts';
import { environmentOf, type Process, readProcesses } from './processes.ts';

const GRAPHICAL = ['x11', 'wayland', 'mir'];
/** Of the environment of a session: where its settings and its display are. Nothing that decides which code runs. */
const TAKEN = [
  'DBUS_SESSION_BUS_ADDRESS',
  'DCONF_PROFILE',
  'DISPLAY',
  'GSETTINGS_BACKEND',
  'XAUTHORITY',
  'XDG_CONFIG_DIRS',
  'XDG_CONFIG_HOME',
  'XDG_CURRENT_DESKTOP',
  'XDG_DATA_DIRS',
  'XDG_SESSION_DESKTOP',
];
/** Processes that are looked at for one that knows its screen: in a session, nearly all do. */
const MOST_ASKED = 200;
/** Accounts of people where logind does not say whose session it is (login.defs(5), UID_MIN). */
const FIRST_PERSON = 1000;

type Session = Pick<LoginSession, 'desktop' | 'type' | 'uid'>;

/**
 * Who is logged in with a screen, by name: in a graphical session of logind's, or in one that began on a text console and then started a
 * desktop (startx). Greeters of display managers run desktops too, but in sessions of another class.
 * @returns undefined where it cannot be seen
 */
export async function findGraphicalUsers(host: HostAccess): Promise<GraphicalUser[] | undefined> {
  const processes = await readProcesses(host);
  if (processes === undefined) return undefined;
  const sessions = await loginSessions(host).catch(() => undefined);
  const people = new Map<number, Session[]>();
  for (const session of sessions ?? withoutLogind(processes)) {
    const desktop = processes.some(({ uid, name }) => uid === session.uid && desktopOfProgram(name) !== undefined);
    if (!GRAPHICAL.includes(session.type) && !desktop) continue;
    people.set(session.uid, [...(people.get(session.uid) ?? []), session]);
  }
  const found = await Promise.all(
    [...people].map(([uid, theirs]) =>
      describe(
        host,
        theirs,
        processes.filter((process) => process.uid === uid),
      ),
    ),
  );
  return found.filter((user) => user !== undefined).sort((a, b) => (a.user < b.user ? -1 : 1));
}

function withoutLogind(processes: readonly Process[]): Session[] {
  const people = processes.filter(({ uid, name }) => uid >= FIRST_PERSON && desktopOfProgram(name) !== undefined);
  return [...new Set(people.map(({ uid }) => uid))].map((uid) => ({
    uid,
    type: 'unspecified',
    desktop: '',
  }));
}

async function describe(
  host: HostAccess,
  sessions: readonly Session[],
  processes: readonly Process[],
): Promise<GraphicalUser | undefined> {
  const [{ uid } = { uid: -1 }] = sessions;
  const account = await accountOf(host, uid);
  if (account === undefined) return undefined;
  const { all, env } = await sessionEnvironment(host, processes);
  const byProgram = processes.flatMap(({ name }) => desktopOfProgram(name) ?? [])[0];
  const desktops = sessions.map(
    ({ desktop }) => nameDesktop(desktop) ?? byProgram ?? nameDesktop(all.get('XDG_CURRENT_DESKTOP') ?? '') ?? 'other',
  );
  return {
    ...account,
    uid,
    desktops: [...new Set(desktops)].sort(),
    env: { XDG_RUNTIME_DIR: `/run/user/${uid}`, ...env, HOME: account.home },
    processes,
  };
}

/** getpwuid(3): the file, else whatever the machine asks (LDAP, SSSD). */
async function accountOf(
  host: HostAccess,
  uid: number,
): Promise<Pick<GraphicalUser, 'user' | 'gid' | 'home'> | undefined> {
  const local = parseAccount((await textOf(host, '/etc/passwd')) ?? '', uid);
  if (local !== undefined) return local;
  const getent = await host.find('getent');
  if (getent === undefined) return undefined;
  const { stdout } = await host.run(getent, ['passwd', `${uid}`], { timeout: seconds(10) });
  return parseAccount(stdout, uid);
}

export function parseAccount(passwd: string, uid: number): Pick<GraphicalUser, 'user' | 'gid' | 'home'> | undefined {
  for (const line of passwd.split('\n')) {
    const [user, , itsUid, gid, , home] = line.split(':');
    if (itsUid !== `${uid}` || !user || !home?.startsWith('/') || !/^\d+$/.test(gid ?? '')) continue;
    return { user, gid: Number(gid), home };
  }
  return undefined;
}

/** Of the desktop itself, else of the first program that has a screen. */
async function sessionEnvironment(host: HostAccess, processes: readonly Process[]) {
  const desktops = processes.filter(({ name }) => desktopOfProgram(name) !== undefined);
  const others = processes.filter((process) => !desktops.includes(process));
  for (const process of [...desktops, ...others].slice(0, MOST_ASKED)) {
    const all = await environmentOf(host, process);
    const graphical =
      GRAPHICAL.includes(all.get('XDG_SESSION_TYPE') ?? '') || all.has('DISPLAY') || all.has('WAYLAND_DISPLAY');
    if (!graphical) continue;
    const env = Object.fromEntries([...all].filter(([key]) => TAKEN.includes(key)));
    return { all, env };
  }
  return { all: new Map<string, string>(), env: {} };
}
