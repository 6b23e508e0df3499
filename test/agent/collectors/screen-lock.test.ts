import test from 'ava';
import { screenlock } from '../../../src/agent/collectors/screen-lock.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, memory, plant } from './host-in-folder.ts';
import { asRoot, logind, processFiles, sitDown } from './screen-lock/desk.ts';

const SWAY = { desktop: 'sway', processes: { sway: [], swayidle: ['timeout', '60', 'swaylock'] } };

test('each who sits there is told once, by name, without a time of caching', async (t) => {
  const { host } = await sitDown(t, SWAY);
  t.deepEqual(await screenlock.collect(host, memory()), { users: [{ user: 'alice', enabled: true, delay: 60 }] });
});

test('of two sessions of one person that counts which stays open longest', async (t) => {
  const { host } = await sitDown(t, {
    ...SWAY,
    files: {
      '/usr/bin/loginctl': logind([
        { type: 'wayland', desktop: 'sway' },
        { type: 'x11', desktop: 'i3' },
      ]),
    },
  });
  t.deepEqual(await screenlock.collect(host, memory()), { users: [{ user: 'alice', enabled: false, delay: null }] });
});

test('when all have gone, what was seen last is told with the time of it, byte for byte the same', async (t) => {
  const tools = memory();
  const { host } = await sitDown(t, SWAY);
  await screenlock.collect(host, tools);
  const empty = await scratchFolder(t);
  await plant(empty, { ...processFiles({}), '/usr/bin/loginctl': logind([]) });
  const nobody = asRoot(hostInFolder(t, empty)).host;
  const answers = new Set<string>();
  for (let round = 0; round < 3; round += 1) answers.add(JSON.stringify(await screenlock.collect(nobody, tools)));
  const [answer = '', ...others] = answers;
  t.deepEqual(others, []);
  t.like(JSON.parse(answer), { users: [{ user: 'alice', enabled: true, delay: 60 }] });
  t.is(JSON.parse(answer).cached_at, tools.kept.get('users')?.at.toISOString());
});

test('where nobody ever sat there are no users, and where nothing can be seen it is unknown', async (t) => {
  const empty = await scratchFolder(t);
  await plant(empty, processFiles({}));
  t.deepEqual(await screenlock.collect(hostInFolder(t, empty), memory()), { users: [] });
  t.is(await screenlock.collect(hostInFolder(t, await scratchFolder(t)), memory()), 'unknown');
});

for (const desktop of ['gnome', 'KDE', 'xfce', 'sway', 'i3', 'MATE', 'COSMIC']) {
  test(`without root nothing is told of ${desktop}`, async (t) => {
    const { host } = await sitDown(t, {
      ...SWAY,
      desktop,
      processes: { ...SWAY.processes, 'xfce4-screensaver': [], 'mate-screensaver': [] },
    });
    t.deepEqual(await screenlock.collect({ ...host, isRoot: false }, memory()), {
      users: [{ user: 'alice', enabled: 'unknown', delay: 'unknown' }],
    });
  });
}
