import test from 'ava';
import { parseChannel } from '../../../../src/agent/collectors/screen-lock/xfce.ts';
import { lockOfAlice } from './desk.ts';

/** As xfconf-query's main.c prints: `-l -v`, and what it says of a channel that is not there. */
function xfconf(channels: Record<string, Record<string, string>>): string {
  const rows = Object.entries(channels).map(([channel, values]) => {
    const lines = Object.entries(values).map(([key, value]) => `${key.padEnd(40)}${value}`);
    return `${channel}) cat <<'END'\n${lines.join('\n')}\nEND\n;;`;
  });
  return `#!/bin/sh
case "$2" in
${rows.join('\n')}
*) echo "Channel \\"$2\\" contains no properties.";;
esac
`;
}

const SAVER = { 'xfce4-session': [], 'xfce4-screensaver': [] };
const at = (values: Record<string, string>, more: Record<string, Record<string, string>> = {}) => ({
  desktop: 'xfce',
  type: 'x11',
  processes: SAVER,
  files: { '/usr/bin/xfconf-query': xfconf({ 'xfce4-screensaver': values, ...more }) },
});

for (const [title, desk, expected] of [
  [
    'locks after five minutes where nothing was ever changed',
    { ...at({}), files: { '/usr/bin/xfconf-query': xfconf({}) } },
    [true, 300],
  ],
  [
    'locks when it is told to',
    at({ '/saver/idle-activation/delay': '2', '/lock/saver-activation/delay': '3' }),
    [true, 300],
  ],
  ['takes 10 minutes for less than 1', at({ '/saver/idle-activation/delay': '0' }), [true, 600]],
  ['does not lock with /lock/enabled false', at({ '/lock/enabled': 'false' }), [false, null]],
  ['nor without the saver', at({ '/saver/enabled': 'false' }), [false, null]],
  ['nor where it does not come when idle', at({ '/saver/idle-activation/enabled': 'false' }), [false, null]],
  ['nor where the saver does not lock', at({ '/lock/saver-activation/enabled': 'false' }), [false, null]],
  [
    'nor in presentation mode',
    at({}, { 'xfce4-power-manager': { '/xfce4-power-manager/presentation-mode': 'true' } }),
    [false, null],
  ],
  ['nor where nothing that locks runs', { ...at({}), processes: { 'xfce4-session': [] } }, [false, null]],
  [
    'is unknown without a bus',
    {
      ...at({}),
      files: {
        '/usr/bin/xfconf-query': '#!/bin/sh\necho "Failed to init libxfconf: Cannot autolaunch D-Bus" >&2\nexit 1\n',
      },
    },
    ['unknown', 'unknown'],
  ],
  ['is unknown without xfconf-query', { ...at({}), files: {} }, ['unknown', 'unknown']],
] as const) {
  test(`XFCE ${title}`, async (t) => {
    t.deepEqual(await lockOfAlice(t, { ...desk }), [...expected]);
  });
}

test('xfconf-query -l -v is read a line at a time; broken ones are left out', (t) => {
  const output =
    '/lock/enabled                     false\n/saver/themes/list                <<UNSUPPORTED>>\nnonsense\n/alone\n\u0000\n';
  t.deepEqual(
    [...parseChannel(output)],
    [
      ['/lock/enabled', 'false'],
      ['/saver/themes/list', '<<UNSUPPORTED>>'],
    ],
  );
});
