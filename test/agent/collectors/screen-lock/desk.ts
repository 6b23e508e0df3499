import type { ExecutionContext } from 'ava';
import type { HostAccess, RunOptions } from '../../../../src/agent/collector.ts';
import { screenlock } from '../../../../src/agent/collectors/screen-lock.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';

export interface Desk {
  /** of the only session, alice's; '' where nobody says */
  desktop?: string;
  /** `wayland` where absent */
  type?: string;
  /** alice's, by name: their arguments */
  processes?: Readonly<Record<string, readonly string[]>>;
  /** of the session's first program */
  env?: Record<string, string>;
  files?: Record<string, string>;
  /** what gsettings says, by schema and key */
  settings?: Record<string, Record<string, string>>;
  /** keys that are locked */
  locked?: string[];
}

/** A run of a program, and as whom. */
export interface Ran extends RunOptions {
  path: string;
  args: readonly string[];
}

/** A machine on which alice sits, seen by root: her processes and files, and programs that answer as the real ones do. */
export async function sitDown(t: ExecutionContext, desk: Desk): Promise<{ host: HostAccess; ran: Ran[] }> {
  const folder = await scratchFolder(t);
  const { settings, locked = [] } = desk;
  await plant(folder, {
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nalice:x:1000:100:Alice,,,:/home/alice:/bin/bash\n',
    '/usr/bin/loginctl': logind([{ desktop: desk.desktop ?? '', type: desk.type ?? 'wayland' }]),
    ...processFiles(desk.processes ?? {}, desk.env ?? { XDG_SESSION_TYPE: 'wayland', LD_PRELOAD: '/tmp/evil.so' }),
    ...(settings === undefined ? {} : { '/usr/bin/gsettings': gsettings(settings, locked) }),
    ...desk.files,
  });
  return asRoot(hostInFolder(t, folder));
}

/** Becoming alice takes root, which tests may not be: it is written down instead. */
export function asRoot(inside: HostAccess): { host: HostAccess; ran: Ran[] } {
  const ran: Ran[] = [];
  const host: HostAccess = {
    ...inside,
    isRoot: true,
    run: (path, args, options = {}) => {
      ran.push({ path, args, ...options });
      const { as: _, ...rest } = options;
      return inside.run(path, args, rest);
    },
  };
  return { host, ran };
}

/** What `screenlock` says of alice: `[enabled, delay]`. */
export async function lockOfAlice(t: ExecutionContext, desk: Desk): Promise<unknown[]> {
  const { host } = await sitDown(t, desk);
  const answer = JSON.parse(JSON.stringify(await screenlock.collect(host, memory())));
  return answer.users.map(({ user, enabled, delay }: Record<string, unknown>) => {
    t.is(user, 'alice');
    return [enabled, delay];
  })[0];
}

/** Sessions as loginctl tells of them, alice's unless it says otherwise. */
export function logind(sessions: readonly Record<string, string>[]): string {
  const list = sessions.map((_, index) => `${index + 1} 1000 alice seat0 2145 user tty2 no -`).join('\n');
  const blocks = sessions.map((session, index) =>
    [
      `Id=${session['id'] ?? index + 1}`,
      `User=${session['uid'] ?? 1000}`,
      `Name=${session['user'] ?? 'alice'}`,
      `Type=${session['type'] ?? 'wayland'}`,
      `Class=${session['class'] ?? 'user'}`,
      `State=${session['state'] ?? 'active'}`,
      `Desktop=${session['desktop'] ?? ''}`,
    ].join('\n'),
  );
  return `#!/bin/sh
case $1 in
list-sessions) cat <<'END'
${list}
END
;;
show-session) cat <<'END'
${blocks.join('\n\n')}
END
;;
esac
`;
}

export function processFiles(
  processes: Readonly<Record<string, readonly string[]>>,
  env: Record<string, string> = {},
  uid = 1000,
): Record<string, string> {
  const rows = Object.entries(processes).map(([name, args], index) => {
    const folder = `/proc/${uid + index}`;
    return [
      [
        `${folder}/status`,
        `Name:\t${name.slice(0, 15)}\nState:\tS (sleeping)\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nNSpid:\t7\n`,
      ],
      [`${folder}/cmdline`, [name, ...args].map((word) => `${word}\0`).join('')],
      [
        `${folder}/environ`,
        Object.entries(env)
          .map(([key, value]) => `${key}=${value}\0`)
          .join(''),
      ],
    ];
  });
  return { '/proc/1/status': 'Name:\tsystemd\nUid:\t0\t0\t0\t0\n', ...Object.fromEntries(rows.flat()) };
}

function gsettings(settings: Record<string, Record<string, string>>, locked: readonly string[]): string {
  const schemas = Object.entries(settings).map(([schema, values]) => {
    const lines = Object.entries(values).map(([key, value]) => `${schema} ${key} ${value}`);
    return `'list-recursively ${schema}') cat <<'END'\n${lines.join('\n')}\nEND\n;;`;
  });
  const keys = locked.map((key) => `writable*' ${key}') echo false;;`);
  return `#!/bin/sh
case "$*" in
${[...schemas, ...keys].join('\n')}
writable*) echo true;;
*) echo "No such schema \\"$2\\"" >&2; exit 1;;
esac
`;
}
