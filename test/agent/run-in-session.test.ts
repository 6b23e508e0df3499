import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { HostAccess, RunOptions } from '../../src/agent/collector.ts';
import { runInSession } from '../../src/agent/run-in-session.ts';
import { scratchFolder } from '../support/scratch.ts';
import { thisHost } from './collectors/host-in-folder.ts';

const LIMITS = { timeout: 1000, maxOutput: 1000 };
const UID = process.getuid?.() ?? 0;

interface Ran {
  path: string;
  args: readonly string[];
  options: RunOptions;
}

interface Given {
  said: Record<string, string>;
  files?: Record<string, string>;
  /** whose the bus, and /proc/7, is */
  owner?: number;
  bus?: boolean;
  isRoot?: boolean;
}

const ANN = { Name: 'ann', UID: '1000', GID: '1001', RuntimePath: '/run/user/1000', State: 'active' };

/** A machine where loginctl says this of the user, and what is run is only written down. */
function machine(t: ExecutionContext, { said, files = {}, owner = 1000, bus = true, isRoot = true }: Given) {
  const ran: Ran[] = [];
  const facts = {
    id: '1:1',
    kind: 'other',
    size: 0,
    mode: 0o666,
    uid: owner,
    modified: new Date(0),
    changed: new Date(0),
  } as const;
  const host: HostAccess = {
    ...thisHost(t),
    isRoot,
    find: async (program) => (program === 'missing' ? undefined : `/usr/bin/${program}`),
    list: async (path) => (path === '/proc' ? ['7', 'self'] : undefined),
    readText: async (path) => files[path],
    stat: async (path) => (path === '/proc/7' || (bus && path.endsWith('/bus')) ? facts : undefined),
    run: async (path, args, options = {}) => {
      if (path.endsWith('/getent')) return ended(`ann:x:1000:1001:Ann:/home/ann:/bin/sh\n`);
      if (path.endsWith('/loginctl')) {
        const lines = Object.entries(said).map(([key, value]) => `${key}=${value}`);
        return lines.length === 0 ? { ...ended(''), code: 1 } : ended(`${lines.join('\n')}\n`);
      }
      ran.push({ path, args, options });
      return ended('done');
    },
  };
  return { host, ran };
}

const ended = (stdout: string) => ({ code: 0, stdout, stderr: '' });

test('a command runs as the user, with the address of the bus and the runtime folder, and nothing of root', async (t) => {
  const { host, ran } = machine(t, { said: ANN });
  t.is((await runInSession(host, 0, 'ann', ['gsettings', 'get', 'a', '$b; c'], LIMITS)).stdout, 'done');
  t.deepEqual(ran, [
    {
      path: '/usr/bin/gsettings',
      args: ['get', 'a', '$b; c'],
      options: {
        ...LIMITS,
        as: { uid: 1000, gid: 1001 },
        env: {
          DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus',
          HOME: '/home/ann',
          LOGNAME: 'ann',
          USER: 'ann',
          XDG_RUNTIME_DIR: '/run/user/1000',
        },
      },
    },
  ]);
});

test('without a bus of systemd the address is that which a process of the user has', async (t) => {
  const environ = 'A=1\0DBUS_SESSION_BUS_ADDRESS=unix:abstract=/tmp/dbus-x,guid=1\0B=2';
  const { host, ran } = machine(t, { said: ANN, bus: false, files: { '/proc/7/environ': environ } });
  await runInSession(host, 0, 'ann', ['id'], LIMITS);
  t.is(ran[0]?.options.env?.['DBUS_SESSION_BUS_ADDRESS'], 'unix:abstract=/tmp/dbus-x,guid=1');
});

const REFUSED: [
  why: string,
  given: Given,
  asked: { uid?: number; command?: string },
  message: RegExp,
  status: number,
][] = [
  ['root, logged in or not', { said: { ...ANN, UID: '0' } }, {}, /never as root/, 1],
  ['who is not known', { said: {} }, {}, /not logged in/, 75],
  ['who only lingers', { said: { ...ANN, State: 'lingering' } }, {}, /not logged in/, 75],
  ['who is leaving', { said: { ...ANN, State: 'closing' } }, {}, /not logged in/, 75],
  ['whose ids are no numbers', { said: { ...ANN, GID: '' } }, {}, /not logged in/, 75],
  ['who has no bus', { said: ANN, bus: false }, {}, /no D-Bus session/, 75],
  ["whose bus is somebody else's", { said: ANN, owner: 4 }, {}, /no D-Bus session/, 75],
  ['somebody else than the caller, who is not root', { said: ANN, isRoot: false }, { uid: 4 }, /that takes root/, 1],
  ['anyone, a program that is not there', { said: ANN }, { command: 'missing' }, /none of the system's folders/, 1],
];

for (const [why, given, { uid = 0, command = 'id' }, message, exitCode] of REFUSED) {
  test(`nothing is run for ${why}`, async (t) => {
    const { host, ran } = machine(t, given);
    const error = await t.throwsAsync(runInSession(host, uid, 'ann', [command], LIMITS), { message });
    t.like(error, { exitCode });
    t.deepEqual(ran, []);
  });
}

test('a user who asks for the own session needs no root, and stays who it is', async (t) => {
  const { host, ran } = machine(t, { said: ANN, isRoot: false });
  await runInSession(host, 1000, 'ann', ['/opt/tool'], LIMITS);
  t.deepEqual([ran[0]?.path, ran[0]?.options.as], ['/opt/tool', undefined]);
});

test('a socket is what the real system calls one', async (t) => {
  const path = join(await scratchFolder(t), 'bus');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  t.like(await thisHost(t).stat(path), { kind: 'other', uid: UID });
});
