import type { ExecutionContext } from 'ava';
import * as z from 'zod';
import { bootDesk, type Desk } from './support/desk.ts';
import { bootMachine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { program } from './support/site.ts';

const screenlock = z.object({
  users: z.array(
    z.object({
      user: z.string(),
      enabled: z.union([z.boolean(), z.string()]),
      delay: z.union([z.number(), z.string(), z.null()]),
    }),
  ),
  cached_at: z.string().optional(),
});
const session = z.object({
  screen_lock: z.object({
    users: z.array(z.object({ user_can_change: z.union([z.boolean(), z.string()]), why: z.string().optional() })),
  }),
});

/** `[enabled, delay]` of alice, as the agent reports it. */
async function lock(desk: Desk) {
  const { users } = screenlock.parse(await desk.collected('screenlock'));
  return users.map(({ enabled, delay }) => [enabled, delay]);
}

async function details(desk: Desk) {
  const [alice] = session.parse(await desk.collected('session')).screen_lock.users;
  return alice;
}

const wayland = (desktop: string) => ({
  XDG_SESSION_TYPE: 'wayland',
  XDG_SESSION_DESKTOP: desktop,
  XDG_CURRENT_DESKTOP: desktop,
});
const x11 = (desktop: string) => ({ ...wayland(desktop), XDG_SESSION_TYPE: 'x11' });

/** A program that only has to run, under the name of the real one. */
const standIn = (name: string) => `cp /usr/bin/sleep /tmp/${name} && exec /tmp/${name} infinity`;

onMachine(
  'GNOME: on, delayed, off, never idle; the settings of the user and not those of root; nobody there any more',
  async (t) => {
    const desk = await bootDesk(t);
    t.deepEqual(await desk.collected('screenlock'), { users: [] });
    await desk.logIn(wayland('gnome'));
    t.deepEqual(await lock(desk), [[true, 300]]);
    const set = (schema: string, key: string, value: string) =>
      desk.as('gsettings', 'set', `org.gnome.desktop.${schema}`, key, value);
    await set('session', 'idle-delay', '120');
    await set('screensaver', 'lock-delay', '60');
    t.deepEqual(await lock(desk), [[true, 180]]);
    await set('session', 'idle-delay', '0');
    t.deepEqual(await lock(desk), [[false, null]]);
    await set('session', 'idle-delay', '60');
    await set('screensaver', 'lock-enabled', 'false');
    t.deepEqual(await lock(desk), [[false, null]]);
    // Only a whole collection keeps what it saw.
    await desk.machine.run([program('penguindome-agent'), 'collect']);
    await desk.logOut();
    const after = screenlock.parse(await desk.collected('screenlock'));
    t.deepEqual(after.users, [{ user: 'alice', enabled: false, delay: null }]);
    t.regex(after.cached_at ?? '', /^\d{4}-\d\d-\d\dT/);
    t.deepEqual(screenlock.parse(await desk.collected('screenlock')), after);
  },
);

onMachine("GNOME: dconf's locks stand above what the user wants, and show that nobody can change them", async (t) => {
  const desk = await bootDesk(t);
  const { machine } = desk;
  await desk.logIn(wayland('gnome'));
  await desk.as('gsettings', 'set', 'org.gnome.desktop.screensaver', 'lock-enabled', 'false');
  t.deepEqual(await lock(desk), [[false, null]]);
  t.like(await details(desk), { user_can_change: true });
  const keys = [
    'screensaver/lock-enabled',
    'screensaver/lock-delay',
    'session/idle-delay',
    'lockdown/disable-lock-screen',
  ];
  await machine.write('/etc/dconf/profile/user', 'user-db:user\nsystem-db:local\n');
  await machine.write(
    '/etc/dconf/db/local.d/00-lock',
    '[org/gnome/desktop/screensaver]\nlock-enabled=true\nlock-delay=uint32 5\n[org/gnome/desktop/session]\nidle-delay=uint32 240\n',
  );
  await machine.write('/etc/dconf/db/local.d/locks/00-lock', keys.map((key) => `/org/gnome/desktop/${key}\n`).join(''));
  await machine.run(['dconf', 'update']);
  t.deepEqual(await lock(desk), [[true, 245]]);
  t.like(await details(desk), { user_can_change: false });
});

onMachine('Cinnamon and MATE: on, delayed and off, each in its own settings and units', async (t) => {
  const desk = await bootDesk(t);
  const set = (schema: string, key: string, value: string) => desk.as('gsettings', 'set', schema, key, value);
  await desk.logIn(x11('cinnamon'));
  await set('org.cinnamon.desktop.session', 'idle-delay', '600');
  await set('org.cinnamon.desktop.screensaver', 'lock-delay', '30');
  t.deepEqual(await lock(desk), [[true, 630]]);
  await set('org.cinnamon.desktop.session', 'idle-delay', '0');
  t.deepEqual(await lock(desk), [[false, null]]);
  await set('org.cinnamon.desktop.session', 'idle-delay', '600');
  await set('org.cinnamon.desktop.screensaver', 'lock-enabled', 'false');
  t.deepEqual(await lock(desk), [[false, null]]);
  await desk.logOut();

  await desk.logIn(x11('mate'), standIn('mate-screensaver'));
  t.deepEqual(await lock(desk), [[true, 300]]);
  await set('org.mate.session', 'idle-delay', '7');
  await set('org.mate.screensaver', 'lock-delay', '1');
  t.deepEqual(await lock(desk), [[true, 480]]);
  await set('org.mate.screensaver', 'lock-enabled', 'false');
  t.deepEqual(await lock(desk), [[false, null]]);
  await desk.logOut();
  await set('org.mate.screensaver', 'lock-enabled', 'true').catch(() => undefined);
  await desk.logIn(x11('mate'));
  await set('org.mate.screensaver', 'lock-enabled', 'true');
  t.deepEqual(await lock(desk), [[false, null]]);
});

onMachine("KDE: what kreadconfig6 reads is what counts, and [$i] in /etc/xdg stands above the user's", async (t) => {
  const desk = await bootDesk(t);
  const { machine } = desk;
  await desk.logIn(wayland('KDE'));
  const read = async (key: string) =>
    (await desk.as('kreadconfig6', '--file', 'kscreenlockerrc', '--group', 'Daemon', '--key', key)).trim();
  const write = (key: string, value: string) =>
    desk.as('kwriteconfig6', '--file', 'kscreenlockerrc', '--group', 'Daemon', '--key', key, value);
  t.is(await read('Timeout'), '');
  t.deepEqual(await lock(desk), [[true, 305]]);
  await write('Timeout', '10');
  await write('LockGrace', '0');
  t.is(await read('Timeout'), '10');
  t.deepEqual(await lock(desk), [[true, 600]]);
  await write('Autolock', 'false');
  t.is(await read('Autolock'), 'false');
  t.deepEqual(await lock(desk), [[false, null]]);
  for (const fixed of [
    '[$i]\n[Daemon]\nAutolock=true\nTimeout=3\nLockGrace=5\n',
    '[Daemon][$i]\nAutolock=true\nTimeout=3\n',
    '[Daemon]\nAutolock[$i]=true\nTimeout[$i]=3\nLockGrace[$i]=5\nLock[$i]=true\nRequirePassword[$i]=true\n',
  ]) {
    await machine.write('/etc/xdg/kscreenlockerrc', fixed);
    t.is(await read('Autolock'), 'true', fixed);
    t.is(await read('Timeout'), '3', fixed);
    t.deepEqual(await lock(desk), [[true, 185]], fixed);
    t.like(await details(desk), { user_can_change: false }, fixed);
  }
  await machine.write('/etc/xdg/kscreenlockerrc', '[Daemon]\nAutolock=true\nTimeout=3\n');
  t.is(await read('Autolock'), 'false');
  t.deepEqual(await lock(desk), [[false, null]]);
  t.like(await details(desk), { user_can_change: true });
});

onMachine('XFCE: on, delayed and off, as xfconf says; without its screensaver nothing locks', async (t) => {
  const desk = await bootDesk(t);
  const set = (property: string, type: string, value: string, channel = 'xfce4-screensaver') =>
    desk.as('xfconf-query', '-c', channel, '-p', property, '-n', '-t', type, '-s', value);
  await desk.logIn(x11('xfce'), standIn('xfce4-screensaver'));
  t.deepEqual(await lock(desk), [[true, 300]]);
  await set('/saver/idle-activation/delay', 'int', '2');
  await set('/lock/saver-activation/delay', 'int', '1');
  t.deepEqual(await lock(desk), [[true, 180]]);
  await set('/xfce4-power-manager/presentation-mode', 'bool', 'true', 'xfce4-power-manager');
  t.deepEqual(await lock(desk), [[false, null]]);
  await set('/xfce4-power-manager/presentation-mode', 'bool', 'false', 'xfce4-power-manager');
  t.deepEqual(await lock(desk), [[true, 180]]);
  await set('/lock/enabled', 'bool', 'false');
  t.deepEqual(await lock(desk), [[false, null]]);
  await set('/lock/enabled', 'bool', 'true');
  await desk.logOut();
  await desk.logIn(x11('xfce'));
  t.deepEqual(await lock(desk), [[false, null]]);
});

/** A real sway without a screen; what it starts is real too. */
async function startSway(desk: Desk, config: string): Promise<void> {
  await desk.machine.write('/etc/alice.sway', config);
  await desk.logIn(
    { ...wayland('sway'), WLR_BACKENDS: 'headless', WLR_RENDERER: 'pixman', WLR_LIBINPUT_NO_DEVICES: '1' },
    'exec sway -c /etc/alice.sway',
  );
  await runs(desk, 'sway');
}

async function runs(desk: Desk, name: string): Promise<void> {
  await desk.machine.until(`${name} runs`, async () =>
    (await desk.machine.attempt(['pgrep', '-u', 'alice', '-x', name])).status === 0 ? true : undefined,
  );
}

onMachine('sway: a swayidle that locks, one that only darkens, and none', async (t) => {
  const desk = await bootDesk(t);
  await startSway(
    desk,
    "exec swayidle -w timeout 300 'swaylock -f' timeout 600 'swaymsg \"output * power off\"' before-sleep 'swaylock -f'\n",
  );
  await runs(desk, 'swayidle');
  t.deepEqual(await lock(desk), [[true, 300]]);
  await desk.logOut();
  await desk.machine.write('/home/alice/.config/swayidle/config', 'timeout 240 \'swaymsg "output * power off"\'\n');
  await startSway(desk, 'exec swayidle -w\n');
  await runs(desk, 'swayidle');
  t.deepEqual(await lock(desk), [[false, null]]);
  await desk.logOut();
  await startSway(desk, '\n');
  t.deepEqual(await lock(desk), [[false, null]]);
  t.like(await details(desk), { why: 'neither swayidle nor hypridle runs' });
});

/** Debian 13 has no xautolock: a script that has its name and its arguments, and does nothing. */
const XAUTOLOCK = "printf '#!/bin/sh\\nsleep infinity\\n' >/tmp/xautolock; chmod 755 /tmp/xautolock; /tmp/xautolock";

const XVFB = 'Xvfb :7 -noreset -nolisten tcp & until xset q >/dev/null 2>&1; do sleep 0.1; done';

/** A real i3 on an X server without a screen. */
async function startI3(desk: Desk, script: string, daemon?: string): Promise<void> {
  await desk.logIn({ ...x11('i3'), DISPLAY: ':7' }, `${XVFB}\n${script}\nexec i3 -c /dev/null`);
  for (const name of ['i3', ...(daemon === undefined ? [] : [daemon])]) await runs(desk, name);
}

onMachine("i3: xss-lock by the X server's own timeout, xautolock by its own, and none", async (t) => {
  const desk = await bootDesk(t);
  await startI3(desk, 'xset s 240 60\nxss-lock -- i3lock -n &', 'xss-lock');
  t.deepEqual(await lock(desk), [[true, 240]]);
  await desk.logOut();
  await startI3(desk, 'xset s off\nxss-lock -- i3lock -n &', 'xss-lock');
  t.deepEqual(await lock(desk), [[false, null]]);
  await desk.logOut();
  await startI3(desk, `xset s off\n${XAUTOLOCK} -time 3 -locker 'i3lock -n' &`, 'xautolock');
  t.deepEqual(await lock(desk), [[true, 180]]);
  await desk.logOut();
  await startI3(desk, 'true');
  t.deepEqual(await lock(desk), [[false, null]]);
});

onMachine('i3 from startx: a session that logind takes for a text console has a screen too', async (t) => {
  const desk = await bootDesk(t);
  await desk.logIn({ XDG_SESSION_TYPE: 'tty', DISPLAY: ':7' }, `${XVFB}\n${XAUTOLOCK} -time 9 &\nexec i3 -c /dev/null`);
  for (const name of ['i3', 'xautolock']) await runs(desk, name);
  t.deepEqual(await lock(desk), [[true, 540]]);
});

const autoLogin = z.object({
  auto_login: z.object({ enabled: z.boolean(), logins: z.array(z.object({ by: z.string(), user: z.string() })) }),
});

onMachine('a text console that logs somebody in is told as systemd has it', async (t: ExecutionContext) => {
  const machine = await bootMachine(t);
  const told = async () =>
    autoLogin.parse(JSON.parse(await machine.run([program('penguindome-agent'), 'collectors', 'run', 'session'])))
      .auto_login;
  const command = () => machine.run(['systemctl', 'show', '-p', 'ExecStart', 'getty@tty1.service']);
  t.deepEqual(await told(), { enabled: false, logins: [] });
  t.notRegex(await command(), /--autologin/);
  const folder = '/etc/systemd/system/getty@tty1.service.d';
  await machine.write(
    `${folder}/10-autologin.conf`,
    '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --noclear %I $TERM\n',
  );
  await machine.run(['systemctl', 'daemon-reload']);
  t.regex(await command(), /--autologin root/);
  t.deepEqual(await told(), { enabled: true, logins: [{ by: 'getty@tty1', user: 'root' }] });
  await machine.write(`${folder}/20-back.conf`, '[Service]\nExecStart=\nExecStart=-/sbin/agetty --noclear %I $TERM\n');
  await machine.run(['systemctl', 'daemon-reload']);
  t.notRegex(await command(), /--autologin/);
  t.deepEqual(await told(), { enabled: false, logins: [] });
});
