import { seconds } from '../core/duration.ts';
import type { HostAccess } from './collector.ts';

/** A session of a person, as logind has it (loginctl(1), org.freedesktop.login1(5)). */
export interface LoginSession {
  /** as logind names it */
  id: string;
  user: string;
  uid: number;
  /** `x11`, `wayland`, `mir`, `tty`, `unspecified` */
  type: string;
  /** `gnome`, `sway` …; empty where the session does not say */
  desktop: string;
  /** of X: `:0`; empty where it is not known */
  display: string;
  /** PAM service that let them in: `gdm-password`, `greetd`, `login` … */
  service: string;
  /** `session-2.scope`: the cgroup of all that runs in it */
  scope: string;
  /** over the network */
  remote: boolean;
}

const PROPERTIES = ['Id', 'Name', 'User', 'Type', 'Class', 'State', 'Remote', 'Service', 'Desktop', 'Display', 'Scope'];
const LIMITS = { timeout: seconds(10) };

/**
 * The sessions of people who are still there, by id. A greeter is nobody, nor is the manager of a user's services; a session that is being
 * closed is left out.
 * @throws where logind cannot be asked: then nobody knows
 */
export async function loginSessions(host: HostAccess): Promise<LoginSession[]> {
  const loginctl = await host.find('loginctl');
  if (loginctl === undefined) throw new Error('cannot tell who is logged in: loginctl is missing');
  const listed = await host.run(loginctl, ['list-sessions', '--no-legend', '--no-pager'], LIMITS);
  if (listed.code !== 0) throw new Error(`cannot tell who is logged in: ${whatItSaid(listed.stderr)}`);
  const ids = parseSessionIds(listed.stdout);
  if (ids.length === 0) return [];
  const show = async (wanted: readonly string[]) => {
    const shown = await host.run(loginctl, ['show-session', ...asking(PROPERTIES), '--', ...wanted], LIMITS);
    return shown.code === 0 ? parseProperties(shown.stdout) : undefined;
  };
  // One that has just ended spoils the answer about all of them.
  const shown = (await show(ids)) ?? (await Promise.all(ids.map(async (id) => (await show([id])) ?? []))).flat();
  return shown.flatMap((said) => sessionOf(said) ?? []).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** `loginctl list-sessions --no-legend`: the id stands first, then the user's number; what follows differs between versions. */
export function parseSessionIds(output: string): string[] {
  return output.split('\n').flatMap((line) => /^\s*([A-Za-z0-9]+)\s+\d+\s/.exec(line)?.[1] ?? []);
}

/** loginctl takes one name at a time. */
export function asking(properties: readonly string[]): string[] {
  return properties.map((name) => `--property=${name}`);
}

function whatItSaid(stderr: string): string {
  return stderr.trim().split('\n')[0]?.slice(0, 200) || 'loginctl failed';
}

type Properties = Readonly<Record<string, string>>;

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

/** Of class `user`, and its kin of newer versions (`user-light`); `user-early` and `user-incomplete` are not at the screen yet. */
export function sessionOf(said: Properties): LoginSession | undefined {
  const { Id = '', Name = '', User = '', Class, State, Type = '', Desktop = '', Display = '' } = said;
  const { Service = '', Scope = '', Remote } = said;
  if (!['user', 'user-light'].includes(Class ?? '') || State === 'closing') return undefined;
  if (Id === '' || Name === '' || !/^\d+$/.test(User)) return undefined;
  return {
    id: Id,
    user: Name,
    uid: Number(User),
    type: Type,
    desktop: Desktop,
    display: Display,
    service: Service,
    scope: Scope,
    remote: Remote === 'yes',
  };
}
