/** Who sits at this machine: what logind says (loginctl(1), org.freedesktop.login1(5)), and for xinit what runs in a session. */
import type { HostAccess } from './collector.ts';

export interface GraphicalSession {
  /** as logind names it */
  id: string;
  user: string;
  uid: number;
  /** `x11`, `wayland`, or `tty` where only xinit makes it graphical */
  type: string;
  /** `gnome`, `sway` …; empty where the session does not say */
  desktop: string;
  /** of X: `:0`; empty where it is not known to logind */
  display: string;
  /** started by xinit (startx) */
  xinit: boolean;
  /** started by greetd */
  greetd: boolean;
  /** over the network */
  remote: boolean;
}

/** `x`: X sessions, those of xinit too; `graphical`: all of them */
export type SessionKind = 'x' | 'xinit' | 'greetd' | 'graphical';

const GRAPHICAL = ['x11', 'wayland', 'mir'];
const PROPERTIES = ['Id', 'Name', 'User', 'Type', 'Class', 'State', 'Remote', 'Service', 'Desktop', 'Display', 'Scope'];

/**
 * The graphical sessions of users, in the order of their names and ids. A greeter is no user, nor is the manager of a user's services;
 * a session that is being closed is left out.
 * @throws where logind cannot be asked: then nobody knows
 */
export async function graphicalSessions(host: HostAccess): Promise<GraphicalSession[]> {
  const open = (await loginSessions(host)).filter(isOpen);
  const scopes = await scopesOfXinit(host, open);
  return open
    .map((session) => describe(session, scopes))
    .filter(isGraphical)
    .sort(byUser);
}

export function isOfKind({ type, xinit, greetd }: GraphicalSession, kind: SessionKind): boolean {
  switch (kind) {
    case 'x':
      return type === 'x11' || xinit;
    case 'xinit':
      return xinit;
    case 'greetd':
      return greetd;
    case 'graphical':
      return true;
    default:
      return kind satisfies never;
  }
}

type Properties = Readonly<Record<string, string>>;

async function loginSessions(host: HostAccess): Promise<Properties[]> {
  const loginctl = await host.find('loginctl');
  if (loginctl === undefined) throw new Error('cannot tell who is logged in: loginctl is missing');
  const listed = await host.run(loginctl, ['list-sessions', '--no-legend', '--no-pager']);
  if (listed.code !== 0) throw new Error(`cannot tell who is logged in: ${whatItSaid(listed.stderr)}`);
  const ids = listed.stdout.split('\n').flatMap((line) => /^\s*([A-Za-z0-9]+)\s/.exec(line)?.[1] ?? []);
  if (ids.length === 0) return [];
  const show = async (wanted: readonly string[]) => {
    const shown = await host.run(loginctl, ['show-session', ...asking(PROPERTIES), '--', ...wanted]);
    return shown.code === 0 ? parseProperties(shown.stdout) : undefined;
  };
  // One that has just ended spoils the answer about all of them.
  return (await show(ids)) ?? (await Promise.all(ids.map(async (id) => (await show([id])) ?? []))).flat();
}

/** loginctl takes one name at a time. */
export function asking(properties: readonly string[]): string[] {
  return properties.map((name) => `--property=${name}`);
}

function whatItSaid(stderr: string): string {
  return stderr.trim().split('\n')[0]?.slice(0, 200) || 'loginctl failed';
}

/** `KEY=VALUE` lines, with an empty line between what is shown (`loginctl show-…`). */
export function parseProperties(text: string): Properties[] {
  return text
    .split(/\n\s*\n/)
    .map((block) =>
      Object.fromEntries(
        block.split('\n').flatMap((line) => {
          const at = line.indexOf('=');
          return at > 0 ? [[line.slice(0, at).trim(), line.slice(at + 1)]] : [];
        }),
      ),
    )
    .filter((properties) => Object.keys(properties).length > 0);
}

/** `user`, and its kin of newer versions (`user-light`); `user-early` and `user-incomplete` are not at the screen yet. */
function isOpen({ Class, State, Name, User }: Properties): boolean {
  return (Class === 'user' || Class === 'user-light') && State !== 'closing' && !!Name && /^\d+$/.test(User ?? '');
}

function describe(session: Properties, scopesOfXinit: ReadonlySet<string>): GraphicalSession {
  const { Id = '', Name = '', User, Type = '', Desktop = '', Display = '', Service = '', Scope = '', Remote } = session;
  return {
    id: Id,
    user: Name,
    uid: Number(User),
    type: Type,
    desktop: Desktop,
    display: Display,
    xinit: scopesOfXinit.has(Scope),
    greetd: Service === 'greetd',
    remote: Remote === 'yes',
  };
}

/** What greetd starts tells logind its type late, or never. */
function isGraphical({ type, xinit, greetd }: GraphicalSession): boolean {
  return GRAPHICAL.includes(type) || xinit || greetd;
}

function byUser(a: GraphicalSession, b: GraphicalSession): number {
  if (a.user !== b.user) return a.user < b.user ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** startx makes a graphical session out of one that logind goes on calling `tty`: a process called xinit runs in it. */
async function scopesOfXinit(host: HostAccess, sessions: readonly Properties[]): Promise<Set<string>> {
  const scopes = new Set<string>();
  if (!sessions.some(({ Type }) => Type === 'tty' || Type === 'x11')) return scopes;
  const processes = ((await host.list('/proc').catch(() => undefined)) ?? []).filter((name) => /^\d+$/.test(name));
  for (const process of processes) {
    const read = (file: string) => host.readText(`/proc/${process}/${file}`).catch(() => undefined);
    if ((await read('comm'))?.trim() !== 'xinit') continue;
    const scope = /\/(session-[^/\s]+\.scope)/.exec((await read('cgroup')) ?? '')?.[1];
    if (scope !== undefined) scopes.add(scope);
  }
  return scopes;
}
