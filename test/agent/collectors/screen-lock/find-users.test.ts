import test from 'ava';
import { findGraphicalUsers, parseAccount } from '../../../../src/agent/collectors/screen-lock/find-users.ts';
import { parseStatus } from '../../../../src/agent/collectors/screen-lock/processes.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, plant } from '../host-in-folder.ts';
import { asRoot, logind, processFiles } from './desk.ts';

const PASSWD =
  'root:x:0:0::/root:/bin/bash\nGdm:x:120:120::/var/lib/gdm3:/bin/false\nalice:x:1000:100::/home/alice:/bin/bash\n';

async function found(t: Parameters<typeof hostInFolder>[0], files: Record<string, string>) {
  const folder = await scratchFolder(t);
  await plant(folder, { '/etc/passwd': PASSWD, ...processFiles({}), ...files });
  const people = await findGraphicalUsers(asRoot(hostInFolder(t, folder)).host);
  return people?.map(({ user, desktops }) => [user, ...desktops].join(' '));
}

for (const [title, sessions, processes, expected] of [
  ['a session of Wayland', [{ type: 'wayland', desktop: 'gnome' }], {}, ['alice gnome']],
  ['a session of X', [{ type: 'x11', desktop: 'i3' }], {}, ['alice i3']],
  [
    'the manager of the user beside it',
    [
      { class: 'manager', type: 'unspecified' },
      { type: 'x11', desktop: 'MATE' },
    ],
    {},
    ['alice mate'],
  ],
  [
    'two desktops of one person',
    [
      { type: 'x11', desktop: 'KDE' },
      { type: 'wayland', desktop: 'sway' },
    ],
    {},
    ['alice kde sway'],
  ],
  ['a text console, or ssh', [{ type: 'tty' }], { bash: [] }, []],
  ['a text console from which a desktop was started', [{ type: 'tty' }], { Xorg: [':0'], i3: [] }, ['alice i3']],
  ['the login screen', [{ class: 'greeter', type: 'wayland', desktop: 'gnome' }], { 'gnome-shell': [] }, []],
  ['somebody who has logged out, with things left that run', [{ type: 'x11', state: 'closing' }], { i3: [] }, []],
  ['nobody', [], {}, []],
  [
    'a session that nobody names, by what runs',
    [{ type: 'x11', desktop: 'lightdm-xsession' }],
    { 'xfce4-session': [] },
    ['alice xfce'],
  ],
  ['a desktop that we do not know', [{ type: 'wayland', desktop: 'COSMIC' }], {}, ['alice other']],
  ['an account that is nowhere', [{ type: 'x11', uid: '4711', user: 'ghost' }], {}, []],
] as const) {
  test(`who sits there: ${title}`, async (t) => {
    const files = { '/usr/bin/loginctl': logind([...sessions]), ...processFiles({ ...processes }) };
    t.deepEqual(await found(t, files), [...expected]);
  });
}

test('what the session says of itself names the desktop where logind does not', async (t) => {
  const env = { XDG_SESSION_TYPE: 'wayland', XDG_CURRENT_DESKTOP: 'Budgie:GNOME' };
  const files = { '/usr/bin/loginctl': logind([{ type: 'wayland' }]), ...processFiles({ sleep: [] }, env) };
  t.deepEqual(await found(t, files), ['alice budgie']);
});

test('without logind people are known by the desktops that they run, and system accounts are none', async (t) => {
  t.deepEqual(await found(t, processFiles({ sway: [] })), ['alice sway']);
  t.deepEqual(await found(t, processFiles({ sway: [] }, {}, 120)), []);
  t.deepEqual(await found(t, { '/usr/bin/loginctl': '#!/bin/sh\nexit 1\n', ...processFiles({ sway: [] }) }), [
    'alice sway',
  ]);
});

test('people who are not in /etc/passwd are asked for', async (t) => {
  const files = {
    '/usr/bin/loginctl': logind([{ type: 'x11', desktop: 'i3', uid: '70001', user: 'ldap' }]),
    '/usr/bin/getent': '#!/bin/sh\n[ "$*" = "passwd 70001" ] && echo "ldap:*:70001:70000::/home/ldap:/bin/bash"\n',
  };
  t.deepEqual(await found(t, files), ['ldap i3']);
});

test('a process in a container on this machine is nobody here', (t) => {
  const status = (nspid: string) => `Name:\tswayidle\nUid:\t1000\t1000\t1000\t1000\nNSpid:\t${nspid}\n`;
  t.deepEqual(parseStatus(7, status('7')), { pid: 7, name: 'swayidle', uid: 1000 });
  t.is(parseStatus(7, status('7\t3')), undefined);
  for (const text of [undefined, '', 'Name:\tx\n', 'Uid:\t0\t0\n']) t.is(parseStatus(7, text), undefined);
});

test('an account is found by its number, whatever its lines are like', (t) => {
  t.deepEqual(parseAccount(`broken\n::::\n${PASSWD}`, 1000), { user: 'alice', gid: 100, home: '/home/alice' });
  t.is(parseAccount('x:x:1000:y:::\n', 1000), undefined);
  t.is(parseAccount('', 1000), undefined);
});
