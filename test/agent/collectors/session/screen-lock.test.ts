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

test('the user of XFCE cannot change a channel that is locked', async (t) => {
  const can = async (attributes: string) =>
    (
      await says(t, {
        desktop: 'xfce',
        processes: { 'xfce4-screensaver': [] },
        files: {
          '/etc/xdg/xfce4/xfconf/xfce-perchannel-xml/xfce4-screensaver.xml': `<channel name="xfce4-screensaver" version="1.0"${attributes}>\n</channel>\n`,
        },
      })
    ).screen_lock.users[0].user_can_change;
  t.true(await can(''));
  t.false(await can(' locked="*"'));
});

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
