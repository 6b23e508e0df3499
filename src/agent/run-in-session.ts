import { OperatorError } from '../core/errors.ts';
import type { CommandResult, HostAccess, RunOptions } from './collector.ts';
import { EXIT } from './exit-codes.ts';
import { asking, parseProperties } from './login-sessions.ts';

interface LoggedIn {
  name: string;
  uid: number;
  gid: number;
  /** XDG_RUNTIME_DIR */
  runtime: string;
}

type Limits = Required<Pick<RunOptions, 'timeout' | 'maxOutput'>>;

/** Of what a process was given: it may be megabytes, for each of thousands. */
const HEAD = { max: 64 * 1024, head: true } as const;
const USER_PROPERTIES = ['Name', 'UID', 'GID', 'RuntimePath', 'State'];

/**
 * Runs a program in the D-Bus session of a user who is logged in, as that user and without further groups: what it says of the user's
 * settings is then what the user sees. Root on a user's bus is told something else.
 * @param uid of whoever asks
 * @throws OperatorError for root, for a user who is not logged in or has no such session, and for a program that is not there
 */
export async function runInSession(
  host: HostAccess,
  uid: number,
  user: string,
  [program, ...args]: readonly [string, ...string[]],
  limits: Limits,
): Promise<CommandResult> {
  const who = await loggedIn(host, user);
  if (who.uid === 0) throw new OperatorError(`cannot run anything for ${user}: never as root`);
  if (!host.isRoot && who.uid !== uid) throw new OperatorError(`cannot run anything as ${user}: that takes root`);
  const path = program.startsWith('/') ? program : await host.find(program);
  if (path === undefined) throw new OperatorError(`cannot run ${program}: it is in none of the system's folders`);
  const env = { ...(await sessionEnvironment(host, who)), HOME: await homeOf(host, who) };
  const as = host.isRoot ? { as: { uid: who.uid, gid: who.gid } } : {};
  return host.run(path, args, { ...limits, ...as, env });
}

/** What `loginctl show-user` says; a user who only lingers (loginctl enable-linger) is not there. */
async function loggedIn(host: HostAccess, user: string): Promise<LoggedIn> {
  const loginctl = await host.find('loginctl');
  if (loginctl === undefined) throw new OperatorError('cannot tell who is logged in: loginctl is missing');
  const shown = await host.run(loginctl, ['show-user', ...asking(USER_PROPERTIES), '--', user]);
  const [said] = shown.code === 0 ? parseProperties(shown.stdout) : [];
  const { Name = '', UID = '', GID = '', RuntimePath = '', State = '' } = said ?? {};
  const known = /^\d+$/.test(UID) && /^\d+$/.test(GID) && RuntimePath.startsWith('/');
  if (!known || !['active', 'online'].includes(State)) {
    throw new OperatorError(`cannot run anything as ${user}: not logged in`, { exitCode: EXIT.tryAgain });
  }
  return { name: Name, uid: Number(UID), gid: Number(GID), runtime: RuntimePath };
}

async function sessionEnvironment(host: HostAccess, who: LoggedIn): Promise<Record<string, string>> {
  const socket = `${who.runtime}/bus`;
  const facts = await host.stat(socket).catch(() => undefined);
  const bus =
    facts?.kind === 'other' && facts.uid === who.uid ? `unix:path=${socket}` : await busOfProcess(host, who.uid);
  if (bus === undefined) {
    throw new OperatorError(`cannot run anything as ${who.name}: no D-Bus session`, { exitCode: EXIT.tryAgain });
  }
  return {
    DBUS_SESSION_BUS_ADDRESS: bus,
    LOGNAME: who.name,
    USER: who.name,
    XDG_RUNTIME_DIR: who.runtime,
  };
}

/** Without a bus of systemd's (dbus-run-session, dbus-launch) only the session's own processes know its address. */
async function busOfProcess(host: HostAccess, uid: number): Promise<string | undefined> {
  const processes = ((await host.list('/proc').catch(() => undefined)) ?? []).filter((name) => /^\d+$/.test(name));
  const addresses = new Set<string>();
  for (const process of processes) {
    if ((await host.stat(`/proc/${process}`).catch(() => undefined))?.uid !== uid) continue;
    const environment = (await host.readText(`/proc/${process}/environ`, HEAD).catch(() => undefined)) ?? '';
    const address = /(?:^|\0)DBUS_SESSION_BUS_ADDRESS=(unix:[\x21-\x7e]+)(?:\0|$)/.exec(environment)?.[1];
    if (address !== undefined) addresses.add(address);
  }
  return [...addresses].sort()[0];
}

/** Accounts may come from elsewhere than /etc/passwd: getent(1) asks all of them. */
async function homeOf(host: HostAccess, { uid }: LoggedIn): Promise<string> {
  const getent = await host.find('getent');
  const said = getent === undefined ? undefined : await host.run(getent, ['passwd', `${uid}`]);
  const home = said?.code === 0 ? said.stdout.trim().split(':')[5] : undefined;
  return home?.startsWith('/') ? home : '/';
}
