import test from 'ava';
import { parseXset } from '../../../../src/agent/collectors/screen-lock/x11.ts';
import { saying } from '../host-in-folder.ts';
import { lockOfAlice } from './desk.ts';

/** `xset q` of Debian 12, shortened. */
const xset = (timeout: number, cycle = 60) => `Keyboard Control:
  auto repeat:  on    key click percent:  0    LED mask:  00000000
  auto repeat delay:  500    repeat rate:  33
Pointer Control:
  acceleration:  2/1    threshold:  4
Screen Saver:
  prefer blanking:  yes    allow exposures:  yes
  timeout:  ${timeout}    cycle:  ${cycle}
Colors:
  default colormap:  0x20    BlackPixel:  0x0    WhitePixel:  0xffffff
DPMS (Display Power Management Signaling):
  Standby: 600    Suspend: 600    Off: 600
`;

const at = (processes: Record<string, string[]>, timeout = 600, files: Record<string, string> = {}) => ({
  desktop: 'i3',
  type: 'x11',
  processes: { i3: [], ...processes },
  env: { DISPLAY: ':0', XAUTHORITY: '/run/user/1000/xauth' },
  files: { '/usr/bin/xset': saying(xset(timeout)), ...files },
});
const RC = '/home/alice/.xscreensaver';

for (const [title, desk, expected] of [
  [
    'locks by xautolock, whose time is in minutes',
    at({ xautolock: ['-time', '5', '-locker', 'i3lock -n'] }),
    [true, 300],
  ],
  ['locks by xautolock after 10 minutes where it is given no time', at({ xautolock: [] }), [true, 600]],
  ['does not lock where xautolock only suspends', at({ xautolock: ['-locker', 'systemctl suspend'] }), [false, null]],
  ['is unknown where xautolock runs a script', at({ xautolock: ['-locker', 'away.sh'] }), ['unknown', 'unknown']],
  ["locks by xss-lock when the X server's saver comes", at({ 'xss-lock': ['--', 'i3lock', '-n'] }), [true, 600]],
  ['locks a cycle later with a notifier', at({ 'xss-lock': ['-n', 'dim', '-l', '--', 'i3lock', '-n'] }), [true, 660]],
  ['locks a cycle later with a notifier in one word', at({ 'xss-lock': ['--notifier=dim', 'i3lock'] }), [true, 660]],
  ["takes no word of the locker's for a notifier", at({ 'xss-lock': ['-l', '--', 'i3lock', '-n'] }), [true, 600]],
  [
    'locks by xss-lock with options of all kinds',
    at({ 'xss-lock': ['-s', '3', '-lv', '/usr/bin/slock'] }),
    [true, 600],
  ],
  ['does not lock where xss-lock runs what does not', at({ 'xss-lock': ['--', 'true'] }), [false, null]],
  ['nor where only its notifier is a locker', at({ 'xss-lock': ['-ln', 'i3lock', 'true'] }), [false, null]],
  ['nor where xss-lock was given nothing', at({ 'xss-lock': [] }), [false, null]],
  ['is unknown where xss-lock runs a script', at({ 'xss-lock': ['--', 'lock.sh', 'i3lock'] }), ['unknown', 'unknown']],
  ['never locks by xss-lock where that saver is off', at({ 'xss-lock': ['--', 'i3lock'] }, 0), [false, null]],
  [
    'locks by light-locker some seconds after the saver',
    at({ 'light-locker': ['--lock-after-screensaver=10'] }),
    [true, 610],
  ],
  [
    'does not lock by light-locker that was told not to',
    at({ 'light-locker': ['--lock-after-screensaver=0'] }),
    [false, null],
  ],
  ['is unknown where light-locker has no settings', at({ 'light-locker': [] }), ['unknown', 'unknown']],
  ['locks by the first of two', at({ 'xss-lock': ['--', 'i3lock'], xautolock: ['-time', '2'] }), [true, 120]],
  [
    'locks by xscreensaver',
    at({ xscreensaver: [] }, 0, { [RC]: 'timeout:\t0:05:00\nlock:\tTrue\nlockTimeout:\t0:01:00\nmode:\trandom\n' }),
    [true, 360],
  ],
  ['does not by one that is off', at({ xscreensaver: [] }, 0, { [RC]: 'lock:\tTrue\nmode:\toff\n' }), [false, null]],
  ['nor by one that does not lock', at({ xscreensaver: [] }, 0, { [RC]: 'timeout:\t0:05:00\n' }), [false, null]],
  ['does not lock where nothing runs that could', at({}), [false, null]],
  ['is unknown without xset', { ...at({ 'xss-lock': ['i3lock'] }), files: {} }, ['unknown', 'unknown']],
  [
    'is unknown where the display is not known',
    { ...at({ 'xss-lock': ['i3lock'] }), env: { XDG_SESSION_TYPE: 'x11' } },
    ['unknown', 'unknown'],
  ],
  [
    'is unknown where xset fails',
    at({ 'xss-lock': ['i3lock'] }, 0, { '/usr/bin/xset': saying('unable to open display', 1) }),
    ['unknown', 'unknown'],
  ],
] as const) {
  test(`i3 ${title}`, async (t) => {
    t.deepEqual(await lockOfAlice(t, { ...desk }), [...expected]);
  });
}

test('light-locker has its settings from gsettings', async (t) => {
  const settings = { 'apps.light-locker': { 'lock-after-screensaver': 'uint32 5' } };
  t.deepEqual(await lockOfAlice(t, { ...at({ 'light-locker': [] }), settings }), [true, 605]);
});

test('a swayidle of some X session counts for nothing, and a locker that is no daemon neither', async (t) => {
  t.deepEqual(await lockOfAlice(t, at({ swayidle: ['timeout', '5', 'swaylock'], i3lock: [] })), [false, null]);
});

test('xset without a screen saver tells nothing', (t) => {
  for (const text of [
    '',
    'Screen Saver:\n',
    'timeout: 3 cycle: 3\n',
    xset(600).slice(0, xset(600).indexOf('  timeout')),
    '\u0000',
  ])
    t.is(parseXset(text), undefined, text);
  t.deepEqual(parseXset(xset(600)), { timeout: 600, cycle: 60 });
});
