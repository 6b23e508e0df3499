/** A session of logind's. */
export interface LoginSession {
  id: string;
  uid: number;
  user: string;
  /** `x11`, `wayland`, `mir`, `tty`, `unspecified` */
  type: string;
  /** `user`, `greeter`, `manager` (of `systemd --user`), … */
  class: string;
  /** `closing`: logged out, with something left that still runs */
  state: string;
  desktop: string;
}

/** `loginctl list-sessions --no-legend`: the id stands first, what follows differs between versions. */
export function parseSessionIds(output: string): string[] {
  return output.split('\n').flatMap((line) => /^\s*([\w-]+)\s+\d+\s/.exec(line)?.[1] ?? []);
}

export const SESSION_PROPERTIES = ['Id', 'User', 'Name', 'Type', 'Class', 'State', 'Desktop'];

/** `loginctl show-session` of several: `Key=value`, an empty line between two. */
export function parseSessions(output: string): LoginSession[] {
  return output.split(/\n\s*\n/).flatMap((block) => {
    const values = new Map(
      block.split('\n').map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)];
      }),
    );
    const of = (key: string) => values.get(key) ?? '';
    if (!/^\d+$/.test(of('User')) || of('Name') === '' || of('Id') === '') return [];
    return {
      id: of('Id'),
      uid: Number(of('User')),
      user: of('Name'),
      type: of('Type'),
      class: of('Class'),
      state: of('State'),
      desktop: of('Desktop'),
    };
  });
}
