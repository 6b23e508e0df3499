import test from 'ava';
import { judge } from '../../../../src/agent/collectors/screen-lock/kde.ts';
import { parseKConfig } from '../../../../src/agent/collectors/screen-lock/parse-kconfig.ts';
import { lockOfAlice } from './desk.ts';

const OWN = '/home/alice/.config/kscreenlockerrc';
const ALL = '/etc/xdg/kscreenlockerrc';

const daemon = (...lines: string[]) => ['[Daemon]', ...lines, ''].join('\n');

for (const [title, files, expected] of [
  ['locks after five minutes and five seconds of grace where nothing is written', {}, [true, 305]],
  ['locks when the user says', { [OWN]: daemon('Timeout=10', 'LockGrace=0') }, [true, 600]],
  ['locks after parts of minutes (Plasma 6)', { [OWN]: daemon('Timeout=0.5', 'LockGrace=0') }, [true, 30]],
  ['does not lock with Autolock=false', { [OWN]: daemon('Autolock=false') }, [false, null]],
  ['does not lock with Autolock=OFF', { [OWN]: daemon('Autolock=OFF') }, [false, null]],
  ['does not lock with a Timeout of 0', { [OWN]: daemon('Timeout=0') }, [false, null]],
  ['does not lock where no password is asked for', { [OWN]: daemon('RequirePassword=false') }, [false, null]],
  ['nor where Plasma 5 asks for none', { [OWN]: daemon('Lock=false') }, [false, null]],
  ['reads the group Daemon only', { [OWN]: `[Greeter]\nAutolock=false\n[Daemon][x]\nAutolock=false\n` }, [true, 305]],
  ['takes the settings for all where the user has none', { [ALL]: daemon('Timeout=3') }, [true, 185]],
  [
    'and those of the user where both have some',
    { [ALL]: daemon('Timeout=3'), [OWN]: daemon('Timeout=7') },
    [true, 425],
  ],
  ['but not where the key is immutable', { [ALL]: daemon('Timeout[$i]=3'), [OWN]: daemon('Timeout=99') }, [true, 185]],
  ['nor where the group is', { [ALL]: '[Daemon][$i]\nAutolock=true\n', [OWN]: daemon('Autolock=false') }, [true, 305]],
  ['nor where the file is', { [ALL]: '[$i]\n[Daemon]\nTimeout=2\n', [OWN]: daemon('Autolock=false') }, [true, 125]],
] as const) {
  test(`KDE ${title}`, async (t) => {
    t.deepEqual(await lockOfAlice(t, { desktop: 'KDE', files: { ...files } }), [...expected]);
  });
}

test("KDE's settings are where the session says", async (t) => {
  const env = {
    XDG_SESSION_TYPE: 'wayland',
    XDG_CONFIG_HOME: '/srv/conf',
    XDG_CONFIG_DIRS: '/home/alice/.config/kdedefaults:/etc/xdg',
  };
  const files = {
    '/srv/conf/kscreenlockerrc': daemon('LockGrace=0'),
    '/home/alice/.config/kdedefaults/kscreenlockerrc': daemon('Timeout=4'),
    [ALL]: daemon('Timeout=9'),
    [OWN]: daemon('Autolock=false'),
  };
  t.deepEqual(await lockOfAlice(t, { desktop: 'plasma', processes: { plasmashell: [] }, env, files }), [true, 240]);
});

test('a file of settings that is none, or too large, is unknown', async (t) => {
  const folder = { '/home/alice/.config/kscreenlockerrc/x': '' };
  t.deepEqual(await lockOfAlice(t, { desktop: 'KDE', files: folder }), ['unknown', 'unknown']);
  t.deepEqual(await lockOfAlice(t, { desktop: 'KDE', files: { [OWN]: '#'.repeat(2_000_000) } }), [
    'unknown',
    'unknown',
  ]);
});

test('broken lines of settings count as if they were not there', (t) => {
  for (const text of [
    '\u0000\u0001[Daemon',
    '[Daemon]\nTimeout',
    '[Daemon]\nTimeout=soon\n',
    '=\n[]\n[Daemon]\n=3\n',
    '[Daemon]\nTimeo',
  ]) {
    t.deepEqual(judge(parseKConfig([text])), { locks: true, delay: 305 }, text);
  }
});

test('a key that is taken away ([$d]) has its built-in value', (t) => {
  t.deepEqual(judge(parseKConfig([daemon('Timeout=9'), daemon('Timeout[$d]')])), { locks: true, delay: 305 });
});

test('what is fixed is told key by key', (t) => {
  const fixed = (...texts: string[]) =>
    [...(parseKConfig(texts).groups.get('Daemon') ?? [])].map(([key, entry]) => [key, entry.fixed]);
  t.deepEqual(fixed(daemon('Timeout[$i]=3', 'Autolock=true'), daemon('Autolock=false')), [
    ['Timeout', true],
    ['Autolock', false],
  ]);
  t.deepEqual(fixed('[Daemon]\n[$i]\nTimeout=3\n', daemon('Timeout=4')), [['Timeout', true]]);
});
