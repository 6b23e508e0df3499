import { execFile, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import { screenlock } from '../../../../src/agent/collectors/screen-lock.ts';
import { session } from '../../../../src/agent/collectors/session/index.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';
import { asRoot, type Desk, lockOfAlice, logind, processFiles, sitDown } from './desk.ts';

const run = promisify(execFile);
const UNKNOWN = ['unknown', 'unknown'];

/** Where users have root look for their settings, and what looks there. */
const CHOSEN: Record<string, { desk: Desk; path: string }> = {
  'swayidle -C': {
    desk: { desktop: 'sway', processes: { sway: [], swayidle: ['-C', '/srv/mine'] } },
    path: '/srv/mine',
  },
  'swayidle, by itself': {
    desk: { desktop: 'sway', processes: { sway: [], swayidle: [] } },
    path: '/home/alice/.config/swayidle/config',
  },
  'hypridle -c': {
    desk: { desktop: 'hyprland', processes: { Hyprland: [], hypridle: ['-c', '/srv/mine'] } },
    path: '/srv/mine',
  },
  'hypridle, by itself': {
    desk: { desktop: 'hyprland', processes: { Hyprland: [], hypridle: [] } },
    path: '/home/alice/.config/hypr/hypridle.conf',
  },
  'KDE, by XDG_CONFIG_HOME': {
    desk: { desktop: 'kde', processes: { kwin_x11: [] }, env: { DISPLAY: ':0', XDG_CONFIG_HOME: '/srv/mine' } },
    path: '/srv/mine/kscreenlockerrc',
  },
  'KDE, by XDG_CONFIG_DIRS': {
    desk: { desktop: 'kde', processes: { kwin_x11: [] }, env: { DISPLAY: ':0', XDG_CONFIG_DIRS: '/srv/mine' } },
    path: '/srv/mine/kscreenlockerrc',
  },
  xscreensaver: {
    desk: { desktop: 'i3', processes: { i3: [], xscreensaver: [] } },
    path: '/home/alice/.xscreensaver',
  },
};

for (const [what, { desk, path }] of Object.entries(CHOSEN)) {
  test(`${what}: a FIFO in place of the settings is not opened`, async (t) => {
    const folder = await scratchFolder(t);
    await plant(folder, {
      '/etc/passwd': 'alice:x:1000:100:Alice,,,:/home/alice:/bin/bash\n',
      '/usr/bin/loginctl': logind([{ desktop: desk.desktop ?? '' }]),
      ...processFiles(desk.processes ?? {}, desk.env ?? { XDG_SESSION_TYPE: 'wayland' }),
    });
    await mkdir(dirname(`${folder}${path}`), { recursive: true });
    await run('/usr/bin/mkfifo', [`${folder}${path}`]);
    const writer = spawn('/bin/sh', ['-c', 'echo ready; exec 3> "$0"', `${folder}${path}`]);
    t.teardown(() => writer.kill('SIGKILL'));
    await new Promise((resolve) => writer.stdout.once('data', resolve));
    await sleep(200);
    const { host } = asRoot(hostInFolder(t, folder));
    t.like(await screenlock.collect(host, memory()), { users: [{ user: 'alice', enabled: 'unknown' }] });
    await sleep(200);
    t.is(writer.exitCode, null);
  });

  test(`${what}: nothing but a file that alice could read herself is`, async (t) => {
    const { host } = await sitDown(t, { ...desk, files: { [path]: '' } });
    const asked: (number | undefined)[] = [];
    await screenlock.collect(
      {
        ...host,
        readText: (each, options = {}) => {
          if (each === path) asked.push(options.of);
          return host.readText(each, options);
        },
      },
      memory(),
    );
    t.deepEqual(asked, [1000]);
  });

  test(`${what}: settings that were made to keep root busy are not read`, async (t) => {
    t.deepEqual(await lockOfAlice(t, { ...desk, files: { [path]: '\n'.repeat(65 * 1024) } }), UNKNOWN);
    t.deepEqual(await lockOfAlice(t, { ...desk, files: { [path]: `a${' '.repeat(4096)}[` } }), UNKNOWN);
  });
}

test("why it is unknown is told without the names of people's files", async (t) => {
  const chosen = `/srv/${'private/'.repeat(1000)}`;
  for (const path of [chosen, '/srv/private']) {
    const desk = { desktop: 'sway', processes: { sway: [], swayidle: ['-C', path] } };
    const { host } = await sitDown(t, { ...desk, files: { '/srv/private/x': '' } });
    const answer = JSON.stringify(await session.collect(host, memory()));
    t.regex(answer, /"why":"[^"]*a file of settings/);
    t.notRegex(answer, /private/);
  }
});

test('a session with more folders of settings than anybody has is unknown, and none of them is read', async (t) => {
  const env = { DISPLAY: ':0', XDG_CONFIG_DIRS: '/tmp/a:'.repeat(4000) };
  const { host } = await sitDown(t, { desktop: 'kde', processes: { kwin_x11: [] }, env });
  let reads = 0;
  const answer = await screenlock.collect(
    {
      ...host,
      readText: (path, options) => {
        if (path.endsWith('kscreenlockerrc')) reads += 1;
        return host.readText(path, options);
      },
    },
    memory(),
  );
  t.like(answer, { users: [{ enabled: 'unknown' }] });
  t.is(reads, 0);
});

test('of what a process was given no more than the beginning is read, and of few processes', async (t) => {
  const processes = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`program-${n}`, []]));
  const { host } = await sitDown(t, { desktop: 'kde', processes, env: { A: 'x' } });
  const most: (number | undefined)[] = [];
  await screenlock.collect(
    {
      ...host,
      readText: (path, options = {}) => {
        if (path.endsWith('/environ')) most.push(options.head ? options.max : undefined);
        return host.readText(path, options);
      },
    },
    memory(),
  );
  t.is(most.length, 200);
  t.deepEqual(new Set(most), new Set([64 * 1024]));
});
