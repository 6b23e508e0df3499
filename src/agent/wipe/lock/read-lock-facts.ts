import type { HostAccess } from '../../collector.ts';
import { readLoginDefs } from '../../collectors/accounts/login-defs.ts';
import { namesIn } from '../../collectors/lenient.ts';
import { parseSessionIds } from '../../login-sessions.ts';
import { type People, pickPeople } from '../people.ts';
import type { RunTool } from '../tools.ts';
import { type AccountState, parseAccountStates } from './account-states.ts';

export interface LockFacts {
  people: People;
  accounts: AccountState[];
  /** units that let somebody in over the network, and whether they are active */
  units: { name: string; active: boolean }[];
  /** of persons whose services run without them */
  lingering: string[];
  /** ids of logind's */
  sessions: string[];
  subuid: string;
  /** somebody else's /etc/nologin is there */
  nologin: boolean;
}

const BIG = 16 * 1024 * 1024;
export const NOLOGIN = '/etc/nologin';

/** By what people come in over the network. */
const NETWORK_LOGINS = new RegExp(
  `^(?:${[
    ...['ssh', 'ssh@', 'sshd', 'sshd@', 'sshd-vsock', 'sshd-unix-local', 'dropbear', 'dropbear@'],
    ...['tinysshd', 'tinysshd@', 'xrdp', 'xrdp-sesman', 'cockpit', 'telnet', 'telnet@', 'rlogin', 'rsh', 'x2goserver'],
    ...['gnome-remote-desktop', 'mosh', 'teleport', 'tigervncserver@', 'vncserver@', 'vncserver', 'x11vnc'],
  ].join('|')})\\.(?:service|socket)$`,
);

/** Read-only. @throws where accounts cannot be read */
export async function readLockFacts(host: HostAccess, run: RunTool): Promise<LockFacts> {
  const read = (path: string) => host.readText(path, { max: BIG });
  const [passwd, shadow] = [await read('/etc/passwd'), await read('/etc/shadow')];
  if (passwd === undefined) throw new Error('cannot read /etc/passwd');
  const people = pickPeople({ passwd, loginDefs: await readLoginDefs(host) });
  const listed = await run('loginctl', ['list-sessions', '--no-legend', '--no-pager']);
  return {
    people,
    accounts: parseAccountStates(passwd, shadow ?? ''),
    units: await readUnits(run),
    lingering: ((await namesIn(host, '/var/lib/systemd/linger')) ?? []).filter((name) =>
      people.persons.some((person) => person.name === name),
    ),
    sessions: parseSessionIds(listed.stdout),
    subuid: (await read('/etc/subuid')) ?? '',
    nologin: (await host.stat(NOLOGIN)) !== undefined,
  };
}

async function readUnits(run: RunTool): Promise<LockFacts['units']> {
  const types = '--type=service,socket';
  const files = await run('systemctl', ['list-unit-files', '--no-legend', '--no-pager', '--plain', types]);
  const active = await run('systemctl', [
    'list-units',
    '--no-legend',
    '--no-pager',
    '--plain',
    '--state=active,activating',
    types,
  ]);
  const running = new Set(active.stdout.split('\n').map((line) => line.split(/\s+/)[0] ?? ''));
  return parseUnitFiles(files.stdout).map((name) => ({ name, active: running.has(name) }));
}

/** `systemctl list-unit-files`: names that let somebody in; another name of a unit is the unit. */
export function parseUnitFiles(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([name = '', state]) => (NETWORK_LOGINS.test(name) && state !== 'alias' ? [name] : []))
    .sort();
}
