import test, { type ExecutionContext } from 'ava';
import { graphicalSessions, isOfKind, type SessionKind } from '../../src/agent/graphical-sessions.ts';
import { scratchFolder } from '../support/scratch.ts';
import { hostInFolder, plant } from './collectors/host-in-folder.ts';

interface Given {
  Id: string;
  Name: string;
  User: string;
  Type: string;
  Class?: string;
  State?: string;
  Service?: string;
  Display?: string;
  Remote?: string;
}

const TABLE: Given[] = [
  { Id: '1', Name: 'root', User: '0', Type: 'tty' },
  { Id: '2', Name: 'zoe', User: '1001', Type: 'wayland', Service: 'gdm-password' },
  { Id: '3', Name: 'zoe', User: '1001', Type: 'unspecified', Class: 'manager' },
  { Id: '4', Name: 'ann', User: '1000', Type: 'x11', Service: 'lightdm', Display: ':0' },
  { Id: '5', Name: 'bob', User: '1002', Type: 'tty', Service: 'login' },
  { Id: '6', Name: 'cat', User: '1003', Type: 'tty', Service: 'login' },
  { Id: '7', Name: 'dan', User: '1004', Type: 'wayland', Service: 'greetd' },
  { Id: '8', Name: 'gdm', User: '110', Type: 'wayland', Class: 'greeter', Service: 'gdm-launch-environment' },
  { Id: '9', Name: 'eve', User: '1005', Type: 'x11', State: 'closing' },
  { Id: 'c1', Name: 'fay', User: '1006', Type: 'x11', Service: 'xrdp-sesman', Remote: 'yes' },
  { Id: '10', Name: 'gus', User: '1007', Type: 'wayland', Class: 'user-incomplete' },
];

const properties = (given: Given) =>
  Object.entries({
    Class: 'user',
    State: 'active',
    Service: '',
    Display: '',
    Remote: 'no',
    Desktop: '',
    ...given,
    Scope: `session-${given.Id}.scope`,
  })
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');

/** Answers as loginctl does; `show-session` fails for all where one of them is not there any more. */
function loginctl(sessions: readonly Given[], gone: string[] = []): string {
  const list = [
    ...sessions.map(({ Id, User, Name }) => `${Id.padStart(3)} ${User} ${Name} seat0 tty2`),
    ...gone.map((id) => `${id} 99 gone`),
  ];
  const cases = sessions.map((given) => `${given.Id}) cat <<'END'\n${properties(given)}\nEND\n;;`).join('\n');
  return `#!/bin/sh
case $1 in
list-sessions) cat <<'END'
${list.join('\n')}
END
;;
show-session) shift; first=yes
for id; do
  case $id in
  -*) continue ;;
  esac
  [ $first ] || echo; first=
  case $id in
  ${cases}
  *) echo "Failed to get path for session '$id'" >&2; exit 1 ;;
  esac
done ;;
esac
`;
}

const XINIT = {
  '/proc/501/comm': 'xinit\n',
  '/proc/501/cgroup': '0::/user.slice/user-1002.slice/session-5.scope\n',
  '/proc/502/comm': 'bash\n',
  '/proc/502/cgroup': '0::/user.slice/user-1003.slice/session-6.scope\n',
  '/proc/self': '-> 501',
};

async function machine(t: ExecutionContext, files: Record<string, string>) {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  return hostInFolder(t, folder);
}

const KINDS: [SessionKind, string[]][] = [
  ['graphical', ['ann', 'bob', 'dan', 'fay', 'zoe']],
  ['x', ['ann', 'bob', 'fay']],
  ['xinit', ['bob']],
  ['greetd', ['dan']],
];

for (const [kind, users] of KINDS) {
  test(`${users.join(', ')}: in a session of the kind ${kind}; greeters, managers and closing sessions do not count`, async (t) => {
    const host = await machine(t, { '/usr/bin/loginctl': loginctl(TABLE), ...XINIT });
    const sessions = await graphicalSessions(host);
    t.deepEqual(
      sessions.filter((session) => isOfKind(session, kind)).map(({ user }) => user),
      users,
    );
  });
}

test('a session is told with all that is known of it', async (t) => {
  const host = await machine(t, { '/usr/bin/loginctl': loginctl(TABLE.slice(3, 4)) });
  t.deepEqual(await graphicalSessions(host), [
    {
      id: '4',
      user: 'ann',
      uid: 1000,
      type: 'x11',
      desktop: '',
      display: ':0',
      xinit: false,
      greetd: false,
      remote: false,
    },
  ]);
});

test('a session that ends between two looks hides no other', async (t) => {
  const host = await machine(t, { '/usr/bin/loginctl': loginctl(TABLE, ['77']), ...XINIT });
  t.is((await graphicalSessions(host)).length, 5);
});

test('nobody logged in is nobody; no logind is not known', async (t) => {
  t.deepEqual(await graphicalSessions(await machine(t, { '/usr/bin/loginctl': '#!/bin/sh\n' })), []);
  await t.throwsAsync(graphicalSessions(await machine(t, {})), { message: /loginctl is missing/ });
  const refused = '#!/bin/sh\necho "Failed to connect to bus: No such file or directory" >&2\nexit 1\n';
  await t.throwsAsync(graphicalSessions(await machine(t, { '/usr/bin/loginctl': refused })), {
    message: 'cannot tell who is logged in: Failed to connect to bus: No such file or directory',
  });
});

test('output of loginctl that is cut off, binary or something else gives no session, and no error', async (t) => {
  for (const said of [
    'Id=4\nName=an',
    '\\377\\376\\000=\\001',
    '=====\n\n\n=',
    'Name=ann\nUser=many\nClass=user\nType=x11',
  ]) {
    const program = `#!/bin/sh\ncase $1 in list-sessions) echo '4 1000 ann' ;; *) printf '${said}' ;; esac\n`;
    t.deepEqual(await graphicalSessions(await machine(t, { '/usr/bin/loginctl': program })), [], said);
  }
});
