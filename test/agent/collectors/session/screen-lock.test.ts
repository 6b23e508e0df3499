import test from 'ava';
import { session } from '../../../../src/agent/collectors/session/index.ts';
import { memory } from '../host-in-folder.ts';
import { type Desk, sitDown } from '../screen-lock/desk.ts';

async function says(t: Parameters<typeof sitDown>[0], desk: Desk) {
  const { host } = await sitDown(t, desk);
  return JSON.parse(JSON.stringify(await session.collect(host, memory())));
}

const GNOME: Desk = {
  desktop: 'gnome',
  settings: {
    'org.gnome.desktop.screensaver': { 'lock-enabled': 'true', 'lock-delay': 'uint32 0' },
    'org.gnome.desktop.session': { 'idle-delay': 'uint32 300' },
  },
};

test('a lock is told with its desktop, its delay, and whether the user can change it', async (t) => {
  t.like(await says(t, GNOME), {
    screen_lock: { users: [{ user: 'alice', desktops: ['gnome'], enabled: true, delay: 300, user_can_change: true }] },
  });
});

test('the user can change the lock while one of the settings that decide is open', async (t) => {
  const can = async (...locked: string[]) => (await says(t, { ...GNOME, locked })).screen_lock.users[0].user_can_change;
  t.true(await can('lock-enabled', 'lock-delay'));
  t.true(await can('lock-enabled', 'lock-delay', 'idle-delay'), 'locking can still be forbidden');
  t.false(await can('lock-enabled', 'lock-delay', 'idle-delay', 'disable-lock-screen'));
});

test('the user of MATE can also say that an idle session does not start the screen saver', async (t) => {
  const settings = {
    'org.mate.screensaver': { 'lock-enabled': 'true', 'lock-delay': '0', 'idle-activation-enabled': 'true' },
    'org.mate.session': { 'idle-delay': '5' },
    'org.mate.lockdown': { 'disable-lock-screen': 'false' },
  };
  const desk: Desk = { desktop: 'mate', processes: { 'mate-session': [], 'mate-screensaver': [] }, settings };
  const can = async (...locked: string[]) => (await says(t, { ...desk, locked })).screen_lock.users[0].user_can_change;
  const keys = ['lock-enabled', 'lock-delay', 'idle-delay', 'disable-lock-screen'];
  t.true(await can(...keys));
  t.false(await can(...keys, 'idle-activation-enabled'));
});

test('the user of KDE cannot change what is immutable', async (t) => {
  const can = async (text: string) =>
    (await says(t, { desktop: 'KDE', files: { '/etc/xdg/kscreenlockerrc': text } })).screen_lock.users[0]
      .user_can_change;
  t.true(await can('[Daemon]\nAutolock[$i]=true\n'));
  t.true(
    await can('[Daemon]\nAutolock[$i]=true\nTimeout[$i]=5\nLockGrace[$i]=5\n'),
    'the lock can still do without a password',
  );
  t.false(
    await can('[Daemon]\nAutolock[$i]=true\nTimeout[$i]=5\nLockGrace[$i]=5\nLock[$i]=true\nRequirePassword[$i]=true\n'),
  );
  t.false(await can('[Daemon][$i]\nAutolock=true\nTimeout=5\n'), 'the group is fixed, and so is what it does not say');
  t.false(await can('[$i]\n[Daemon]\nTimeout=5\n'), 'the file is');
  t.true(await can('[Greeter][$i]\n[Daemon]\nAutolock=true\n'), 'another group is');
});

test('locks that only the environment or the files of the user make do not count', async (t) => {
  const env = { XDG_SESSION_TYPE: 'wayland' };
  const can = async (desk: Desk) => (await says(t, desk)).screen_lock.users[0].user_can_change;
  const gnome = (writable: string, own: Record<string, string>): Desk => ({
    ...GNOME,
    processes: { 'gnome-shell': [] },
    env: { ...env, ...own },
    files: { '/usr/bin/gsettings': `#!/bin/sh\n${writable}\n` },
  });
  for (const [name, value] of [
    ['DCONF_PROFILE', '/home/alice/profile'],
    ['GSETTINGS_BACKEND', 'keyfile'],
    ['XDG_DATA_DIRS', '/home/alice/share'],
  ] as const) {
    const ifNamed = (yes: string, no: string) => `[ -n "$${name}" ] && echo ${yes} || echo ${no}`;
    t.true(await can(gnome(ifNamed('false', 'true'), { [name]: value })), `${name} locks`);
    t.true(await can(gnome(ifNamed('true', 'false'), { [name]: value })), `${name} leaves the locks out`);
    t.false(await can(gnome('echo false', { [name]: value })), `it is locked with ${name} and without`);
  }
  t.is(await can(gnome('exit 1', {})), 'unknown');
  const fixed = '[$i]\n[Daemon][$i]\nAutolock[$i]=true\nTimeout[$i]=5\nLockGrace[$i]=5\n';
  const kde = (place: string, own: Record<string, string> = {}): Desk => ({
    desktop: 'KDE',
    processes: { plasmashell: [] },
    env: { ...env, ...own },
    files: { [place]: fixed },
  });
  const dirs = { XDG_CONFIG_DIRS: '/home/alice/.config/kdedefaults:/etc/xdg' };
  t.true(await can(kde('/home/alice/.config/kdedefaults/kscreenlockerrc', dirs)));
  t.true(await can(kde('/home/alice/.config/kscreenlockerrc')));
  t.true(await can(kde('/etc/xdg/kscreenlockerrc', { XDG_CONFIG_DIRS: '/home/alice/empty' })));
  t.false(await can(kde('/etc/xdg/kscreenlockerrc', dirs)));
});

/** An administrator's files of xfconf; what they do to a real xfconfd of Debian 12 was tried. */
const xfconf = (saver: string, power: string): Desk => ({
  desktop: 'xfce',
  processes: { 'xfce4-screensaver': [] },
  files: {
    '/etc/xdg/xfce4/xfconf/xfce-perchannel-xml/xfce4-screensaver.xml': saver,
    '/etc/xdg/xfce4/xfconf/xfce-perchannel-xml/xfce4-power-manager.xml': power,
  },
});
const channel = (attributes: string, properties = '') =>
  `<?xml version="1.0"?>\n<channel name="x" version="1.0" ${attributes}>\n${properties}</channel>\n`;
const property = (name: string, attributes: string, below = '') =>
  `<property name="${name}" type="empty" ${attributes}>${below}</property>\n`;
const ROOT_MAY = 'unlocked="root"';
const FIXED_POWER = channel('', property('xfce4-power-manager', '', property('presentation-mode', ROOT_MAY)));
const each = (attributes: string, left = 'delay') =>
  property('saver', '', `${property('enabled', attributes)}${pair('idle-activation', attributes, left)}`) +
  property('lock', '', `${property('enabled', attributes)}${pair('saver-activation', attributes, 'delay')}`);
const pair = (name: string, attributes: string, delay: string) =>
  property(name, '', `${property('enabled', attributes)}<property name='${delay}' type='int' ${attributes}/>`);

for (const [title, desk, can] of [
  ['nothing is locked', xfconf(channel(''), channel('')), true],
  ['both channels are locked for all but root', xfconf(channel(ROOT_MAY), channel(ROOT_MAY)), false],
  ['presentation mode is open', xfconf(channel(ROOT_MAY), ''), true],
  ['only presentation mode is locked', xfconf(channel(''), FIXED_POWER), true],
  ['both are locked for her', xfconf(channel('locked="bob;alice"'), FIXED_POWER), false],
  ['one is locked for another', xfconf(channel('locked="bob"'), FIXED_POWER), true],
  ['one is locked for "*", who is nobody', xfconf(channel('locked="*"'), FIXED_POWER), true],
  ['one is locked for "*", and open for root', xfconf(channel(`locked="*" ${ROOT_MAY}`), FIXED_POWER), false],
  ['one is open for her', xfconf(channel('unlocked="root;alice"'), FIXED_POWER), true],
  ['one is open for a group', xfconf(channel('unlocked="root;@staff"'), FIXED_POWER), true],
  ['each property is locked', xfconf(channel('', each(ROOT_MAY)), FIXED_POWER), false],
  ['a delay is open', xfconf(channel('', each(ROOT_MAY, 'other')), FIXED_POWER), true],
  [
    'properties above them are locked, which go for themselves',
    xfconf(channel('', property('saver', ROOT_MAY) + property('lock', ROOT_MAY)), FIXED_POWER),
    true,
  ],
  ['the locks are in a comment', xfconf(`<!-- ${channel(ROOT_MAY)} -->`, FIXED_POWER), true],
] as const) {
  test(`the user of XFCE ${can ? 'can' : 'cannot'} change the lock where ${title}`, async (t) => {
    t.is((await says(t, desk)).screen_lock.users[0].user_can_change, can);
  });
}

test('why a screen does not lock is said, and why it cannot be told', async (t) => {
  t.like(await says(t, { desktop: 'sway' }), {
    screen_lock: { users: [{ enabled: false, why: 'neither swayidle nor hypridle runs', user_can_change: true }] },
  });
  t.like(await says(t, { desktop: 'gnome' }), {
    screen_lock: { users: [{ enabled: 'unknown', why: 'gsettings is not installed', user_can_change: 'unknown' }] },
  });
  t.like(await says(t, { desktop: 'COSMIC' }), {
    screen_lock: { users: [{ enabled: 'unknown', user_can_change: 'unknown' }] },
  });
});
