/** Who sits at this machine: what logind says, and for xinit what runs in a session. */
import type { HostAccess } from './collector.ts';
import { type LoginSession, loginSessions } from './login-sessions.ts';

/** `type` is `x11`, `wayland`, or `tty` where only xinit makes it graphical. */
export interface GraphicalSession extends Omit<LoginSession, 'scope' | 'service'> {
  /** started by xinit (startx) */
  xinit: boolean;
  /** started by greetd */
  greetd: boolean;
}

/** `x`: X sessions, those of xinit too; `graphical`: all of them */
export type SessionKind = 'x' | 'xinit' | 'greetd' | 'graphical';

const GRAPHICAL = ['x11', 'wayland', 'mir'];

/**
 * The graphical sessions of people, in the order of their names and ids.
 * @throws where logind cannot be asked: then nobody knows
 */
export async function graphicalSessions(host: HostAccess): Promise<GraphicalSession[]> {
  const open = await loginSessions(host);
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

function describe(session: LoginSession, scopesOfXinit: ReadonlySet<string>): GraphicalSession {
  const { scope, service, ...said } = session;
  return { ...said, xinit: scopesOfXinit.has(scope), greetd: service === 'greetd' };
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
async function scopesOfXinit(host: HostAccess, sessions: readonly LoginSession[]): Promise<Set<string>> {
  const scopes = new Set<string>();
  if (!sessions.some(({ type }) => type === 'tty' || type === 'x11')) return scopes;
  const processes = ((await host.list('/proc').catch(() => undefined)) ?? []).filter((name) => /^\d+$/.test(name));
  for (const process of processes) {
    const read = (file: string) => host.readText(`/proc/${process}/${file}`).catch(() => undefined);
    if ((await read('comm'))?.trim() !== 'xinit') continue;
    const scope = /\/(session-[^/\s]+\.scope)/.exec((await read('cgroup')) ?? '')?.[1];
    if (scope !== undefined) scopes.add(scope);
  }
  return scopes;
}
