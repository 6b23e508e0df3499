import test from 'ava';
import { parseNumber, parseSchema } from '../../../../src/agent/collectors/screen-lock/gsettings.ts';
import { screenlock } from '../../../../src/agent/collectors/screen-lock.ts';
import { memory, saying } from '../host-in-folder.ts';
import { type Desk, lockOfAlice, sitDown } from './desk.ts';

type Values = Record<string, string>;

/** The three desktops whose settings are GNOME 2's: what they call them, and in what they count. */
const DESKTOPS = {
  gnome: { prefix: 'org.gnome.desktop', lockdown: 'org.gnome.desktop.lockdown', minutes: false },
  cinnamon: { prefix: 'org.cinnamon.desktop', lockdown: 'org.cinnamon.desktop.lockdown', minutes: false },
  mate: { prefix: 'org.mate', lockdown: 'org.mate.lockdown', minutes: true },
} as const;

function desk(desktop: keyof typeof DESKTOPS, screensaver: Values, idleDelay: string, lockdown: Values = {}): Desk {
  const { prefix, lockdown: forbids } = DESKTOPS[desktop];
  return {
    desktop,
    processes: desktop === 'mate' ? { 'mate-session': [], 'mate-screensaver': [] } : {},
    settings: {
      [`${prefix}.screensaver`]: {
        'idle-activation-enabled': 'true',
        'lock-enabled': 'true',
        'lock-delay': 'uint32 0',
        ...screensaver,
      },
      [`${prefix}.session`]: { 'idle-delay': idleDelay },
      [forbids]: { 'disable-lock-screen': 'false', ...lockdown },
    },
  };
}

for (const desktop of ['gnome', 'cinnamon', 'mate'] as const) {
  const unit = DESKTOPS[desktop].minutes ? 60 : 1;
  for (const [title, row, expected] of [
    ['locks at once when the session is idle', desk(desktop, {}, 'uint32 300'), [true, 300 * unit]],
    ['locks some time after that', desk(desktop, { 'lock-delay': 'uint32 30' }, '600'), [true, 630 * unit]],
    ['does not lock with lock-enabled false', desk(desktop, { 'lock-enabled': 'false' }, 'uint32 300'), [false, null]],
    [
      'never locks with an idle-delay of 0, which is never and not at once',
      desk(desktop, {}, 'uint32 0'),
      [false, null],
    ],
    [
      'does not lock where locking is forbidden',
      desk(desktop, {}, '5', { 'disable-lock-screen': 'true' }),
      [false, null],
    ],
    [
      'cannot be told where a value is missing',
      desk(desktop, { 'lock-enabled': '@b' }, 'uint32 300'),
      ['unknown', 'unknown'],
    ],
    ['cannot be told where a number is none', desk(desktop, {}, 'uint32 soon'), ['unknown', 'unknown']],
  ] as const) {
    test(`${desktop} ${title}`, async (t) => {
      t.deepEqual(await lockOfAlice(t, row), [...expected]);
    });
  }
}

test('idle-activation-enabled counts in Cinnamon and MATE, and is ignored by GNOME', async (t) => {
  const off = { 'idle-activation-enabled': 'false' };
  t.deepEqual(await lockOfAlice(t, desk('gnome', off, 'uint32 300')), [true, 300]);
  t.deepEqual(await lockOfAlice(t, desk('cinnamon', off, 'uint32 300')), [false, null]);
  t.deepEqual(await lockOfAlice(t, desk('mate', off, '5')), [false, null]);
});

for (const name of ['ubuntu', 'gnome-classic', 'Unity', 'budgie-desktop', 'GNOME-Flashback:GNOME', 'pop']) {
  test(`${name} reads GNOME's settings`, async (t) => {
    t.deepEqual(await lockOfAlice(t, { ...desk('gnome', {}, 'uint32 120'), desktop: name }), [true, 120]);
  });
}

test('GNOME cannot lock where another display manager than GDM let people in; Budgie can', async (t) => {
  const under = (manager: string, desktop: string) =>
    lockOfAlice(t, {
      ...desk('gnome', {}, 'uint32 120'),
      desktop,
      files: { '/etc/systemd/system/display-manager.service': `-> /usr/lib/systemd/system/${manager}.service` },
    });
  t.deepEqual(await under('gdm3', 'gnome'), [true, 120]);
  t.deepEqual(await under('gdm', 'gnome'), [true, 120]);
  t.deepEqual(await under('lightdm', 'gnome'), [false, null]);
  t.deepEqual(await under('lightdm', 'budgie-desktop'), [true, 120]);
});

test('MATE without its screensaver does not lock, whatever its settings say', async (t) => {
  t.deepEqual(await lockOfAlice(t, { ...desk('mate', {}, '5'), processes: { 'mate-session': [] } }), [false, null]);
});

test('gsettings is run as the user on her own bus, with what her session says and nothing that chooses code', async (t) => {
  const env = {
    XDG_SESSION_TYPE: 'wayland',
    XDG_CURRENT_DESKTOP: 'ubuntu:GNOME',
    LD_PRELOAD: '/tmp/x.so',
    PATH: '/tmp',
    HOME: '/tmp',
  };
  const { host, ran } = await sitDown(t, { ...desk('gnome', {}, 'uint32 120'), processes: { 'gnome-shell': [] }, env });
  await screenlock.collect(host, memory());
  const runs = ran.filter(({ path }) => path === '/usr/bin/gsettings');
  t.is(runs.length, 3);
  for (const run of runs) {
    t.deepEqual(run.as, { uid: 1000, gid: 100 });
    t.deepEqual(run.env, {
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus',
      HOME: '/home/alice',
      XDG_CURRENT_DESKTOP: 'ubuntu:GNOME',
      XDG_RUNTIME_DIR: '/run/user/1000',
    });
  }
});

test('a session with a bus of its own is asked there, unless its address is a refusal', async (t) => {
  const busOf = async (address: string) => {
    const env = { DISPLAY: ':0', DBUS_SESSION_BUS_ADDRESS: address };
    const { host, ran } = await sitDown(t, {
      ...desk('gnome', {}, 'uint32 120'),
      processes: { 'gnome-shell': [] },
      env,
    });
    await screenlock.collect(host, memory());
    return ran.find(({ path }) => path === '/usr/bin/gsettings')?.env?.['DBUS_SESSION_BUS_ADDRESS'];
  };
  t.is(await busOf('unix:abstract=/tmp/dbus-x'), 'unix:abstract=/tmp/dbus-x');
  t.is(await busOf('disabled:'), 'unix:path=/run/user/1000/bus');
});

for (const [title, program] of [
  ['is not there', undefined],
  ['fails', saying('', 1)],
  ['only has settings in memory', '#!/bin/sh\necho "Using the \'memory\' GSettings backend." >&2\nexit 0\n'],
  ['prints what it should not', saying('\u0000\u0001 garbage\n= = =\n'.repeat(1000))],
  ['floods', '#!/bin/sh\nexec cat /dev/zero\n'],
] as const) {
  test(`the lock cannot be told where gsettings ${title}`, async (t) => {
    const files: Record<string, string> = program === undefined ? {} : { '/usr/bin/gsettings': program };
    t.deepEqual(await lockOfAlice(t, { desktop: 'gnome', files }), ['unknown', 'unknown']);
  });
}

test('values of gsettings are read by schema and key', (t) => {
  const output = "a.b lock-delay uint32 30\na.b picture 'file:///x y'\nother lock-delay uint32 9\n\nhalf a line\n";
  t.deepEqual(
    [...parseSchema(output, 'a.b')],
    [
      ['lock-delay', 'uint32 30'],
      ['picture', "'file:///x y'"],
    ],
  );
  for (const [text, expected] of [
    ['uint32 300', 300],
    ['5', 5],
    ['int64 -1', -1],
    ['true', undefined],
    ['', undefined],
    [undefined, undefined],
  ] as const) {
    t.is(parseNumber(text), expected);
  }
});
