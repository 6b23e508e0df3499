import test from 'ava';
import { splitWords } from '../../../../src/agent/collectors/screen-lock/parse-swayidle.ts';
import { whatCommandDoes } from '../../../../src/agent/collectors/screen-lock/what-command-does.ts';
import { lockOfAlice } from './desk.ts';

const swayidle = (args: string[], files: Record<string, string> = {}) => ({
  desktop: 'sway',
  processes: { sway: [], swayidle: args },
  files,
});
const CONFIG = '/home/alice/.config/swayidle/config';

for (const [title, desk, expected] of [
  ['locks by a locker at a timeout', swayidle(['-w', 'timeout', '300', 'swaylock -f -c 000000']), [true, 300]],
  [
    "locks at the first of swayidle(1)'s example",
    swayidle([
      '-w',
      'timeout',
      '300',
      'swaylock -f',
      'timeout',
      '600',
      'swaymsg "output * power off"',
      'resume',
      'swaymsg "output * power on"',
      'before-sleep',
      'swaylock -f',
    ]),
    [true, 300],
  ],
  [
    'does not lock where only the screen goes off',
    swayidle(['timeout', '300', 'swaymsg "output * power off"', 'resume', 'swaymsg "output * power on"']),
    [false, null],
  ],
  [
    'does not lock where a timeout asks for it and nobody listens',
    swayidle(['timeout', '300', 'loginctl lock-session']),
    [false, null],
  ],
  [
    'locks where somebody does',
    swayidle(['timeout', '300', 'loginctl lock-session', 'lock', 'swaylock -f']),
    [true, 300],
  ],
  ['does not lock with a locker for sleep only', swayidle(['before-sleep', 'swaylock -f']), [false, null]],
  [
    'locks by going to sleep with a locker for it',
    swayidle(['timeout', '900', 'systemctl suspend', 'before-sleep', 'swaylock -f']),
    [true, 900],
  ],
  ['does not by going to sleep without', swayidle(['timeout', '900', 'systemctl suspend']), [false, null]],
  [
    'is unknown with a script of the user',
    swayidle(['timeout', '300', '/home/alice/bin/away']),
    ['unknown', 'unknown'],
  ],
  ['does not lock at a timeout of 0', swayidle(['timeout', '0', 'swaylock -f']), [false, null]],
  [
    'does not take a resume command for a locker',
    swayidle(['timeout', '9', 'true', 'resume', 'swaylock']),
    [false, null],
  ],
  ['does not lock without an idle daemon', { desktop: 'sway', processes: { sway: [] } }, [false, null]],
  [
    'reads the file too',
    swayidle(['-w'], { [CONFIG]: "# mine\ntimeout 120 'swaylock -f' resume 'true'\n" }),
    [true, 120],
  ],
  [
    'and the one that it was told of',
    swayidle(['-C', '/srv/idle'], { '/srv/idle': 'timeout 60 gtklock\n', [CONFIG]: 'timeout 30 swaylock\n' }),
    [true, 60],
  ],
  [
    'is not disturbed by half a word',
    swayidle(['timeout'], { [CONFIG]: "timeout 'x\ntimeout 5\n\u0000\u0001 timeout" }),
    [false, null],
  ],
] as const) {
  test(`sway ${title}`, async (t) => {
    t.deepEqual(await lockOfAlice(t, { ...desk }), [...expected]);
  });
}

const hypridle = (config?: string) => ({
  desktop: 'Hyprland',
  processes: { Hyprland: [], hypridle: [] },
  files: { ...(config === undefined ? {} : { '/home/alice/.config/hypr/hypridle.conf': config }) },
});

/** From hypridle's wiki page. */
const EXAMPLE = `general {
    lock_cmd = pidof hyprlock || hyprlock       # avoid starting multiple hyprlock instances.
    before_sleep_cmd = loginctl lock-session    # lock before suspend.
    after_sleep_cmd = hyprctl dispatch dpms on
}

listener {
    timeout = 150                                # 2.5min.
    on-timeout = brightnessctl -s set 10
    on-resume = brightnessctl -r
}

listener {
    timeout = 300                                 # 5min
    on-timeout = loginctl lock-session
}

listener {
    timeout = 1800
    on-timeout = systemctl suspend
}
`;

for (const [title, desk, expected] of [
  ["locks as in the wiki's example", hypridle(EXAMPLE), [true, 300]],
  [
    'locks before it sleeps, where nothing locks earlier',
    hypridle(EXAMPLE.replace('timeout = 300', 'timeout = -1')),
    [true, 1800],
  ],
  ['does not lock without a lock command', hypridle(EXAMPLE.replace(/lock_cmd.*/, '')), [false, null]],
  [
    'puts variables in',
    hypridle('$lock = hyprlock --immediate\n$wait=90\nlistener {\ntimeout = $wait\non-timeout = $lock\n}\n'),
    [true, 90],
  ],
  [
    'does not lock where the listener is a comment',
    hypridle('#listener {\n# timeout = 3\n# on-timeout = hyprlock\n#}\n'),
    [false, null],
  ],
  ['is unknown where the settings are not found', hypridle(), ['unknown', 'unknown']],
  ['does not lock by half a file', hypridle(EXAMPLE.slice(0, 300)), [false, null]],
  ['does not lock without hypridle', { desktop: 'hyprland', processes: { Hyprland: [] } }, [false, null]],
] as const) {
  test(`Hyprland ${title}`, async (t) => {
    t.deepEqual(await lockOfAlice(t, { ...desk }), [...expected]);
  });
}

for (const [command, deed] of [
  ['swaylock -f -c 000000', 'locks'],
  ['/usr/bin/swaylock', 'locks'],
  ['pidof hyprlock || hyprlock', 'locks'],
  ["sh -c 'i3lock -n'", 'locks'],
  ['exec env WAYLAND_DISPLAY=wayland-1 gtklock -d', 'locks'],
  ['swaymsg exec swaylock', 'locks'],
  ['notify-send away; swaylock', 'locks'],
  ['loginctl lock-session', 'asks'],
  ['loginctl lock-sessions', 'asks'],
  ['loginctl unlock-session', 'nothing'],
  ['pkill swaylock', 'nothing'],
  ['systemctl suspend -i', 'sleeps'],
  ['systemctl --user start x', 'nothing'],
  ['~/bin/block', 'unclear'],
  ['lockscreen.sh', 'unclear'],
  ['', 'nothing'],
] as const) {
  test(`the command "${command}" ${deed}`, (t) => t.is(whatCommandDoes(command), deed));
}

test('words of a file are split as a shell splits them', (t) => {
  t.deepEqual(splitWords(`timeout 300 'swaylock -f' resume "a \\"b\\" c" d\\ e`), [
    'timeout',
    '300',
    'swaylock -f',
    'resume',
    'a "b" c',
    'd e',
  ]);
});
