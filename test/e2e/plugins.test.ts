import { join } from 'node:path';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { program } from './support/site.ts';

/** A session as a display manager, a console or greetd opens it, with nothing to see in it. */
const session = (user: string, type: string, pam: string, command: string) => `[Service]
User=${user}
PAMName=${pam}
Environment=XDG_SESSION_TYPE=${type} XDG_SESSION_CLASS=user XDG_SESSION_DESKTOP=gnome
ExecStart=${command}
`;

const SCHEMA = `<schemalist><schema id="org.example.sharing" path="/org/example/sharing/">
<key name="enable" type="b"><default>true</default></key></schema></schemalist>
`;

const EXAMPLES = join(process.cwd(), 'packaging/examples/plugins');

const tool = (machine: Machine, ...args: string[]) =>
  machine.attempt([program('penguindome-agent'), 'plugin-tool', ...args]);
const collected = (machine: Machine, name: string) =>
  machine.run([program('penguindome-agent'), 'collectors', 'run', name]);

onMachine(
  'plugins are told who is logged in graphically, and run commands in the sessions of these users alone',
  async (t) => {
    const machine = await bootMachine(t, { binds: { [EXAMPLES]: '/opt/penguindome/examples' } });
    await machine.until('the bus', async () =>
      (await machine.attempt(['test', '-S', '/run/dbus/system_bus_socket'])).status === 0 ? true : undefined,
    );
    t.deepEqual(await tool(machine, 'users'), { status: 0, stdout: '', stderr: '' });
    const users = ['ann', 'bob', 'cat', 'dan'];
    await machine.run([
      'sh',
      '-c',
      `for user in ${users.join(' ')}; do useradd --create-home $user; done; usermod -aG video ann`,
    ]);
    await machine.run(['sh', '-c', 'cp /bin/sleep /usr/local/bin/xinit; cp /etc/pam.d/login /etc/pam.d/greetd']);
    const units: [string, string][] = [
      ['ann', session('ann', 'wayland', 'login', '/usr/bin/sleep infinity')],
      ['bob', session('bob', 'tty', 'login', '/usr/local/bin/xinit infinity')],
      ['cat', session('cat', 'tty', 'greetd', '/usr/bin/sleep infinity')],
    ];
    for (const [user, text] of units) {
      await machine.write(`/etc/systemd/system/seat-${user}.service`, text);
      await machine.run(['systemctl', 'start', `seat-${user}.service`]);
    }
    await machine.run(['loginctl', 'enable-linger', 'dan']);
    await machine.until('three sessions', async () =>
      (await tool(machine, 'users')).stdout === 'ann\nbob\ncat\n' ? true : undefined,
    );
    for (const [kind, expected] of [
      ['--x', 'bob\n'],
      ['--xinit', 'bob\n'],
      ['--greetd', 'cat\n'],
      ['--graphical', 'ann\nbob\ncat\n'],
    ] as const) {
      t.is((await tool(machine, 'users', kind)).stdout, expected, kind);
    }

    await machine.until('the bus of ann', async () =>
      (await tool(machine, 'user-run', 'ann', '--', 'true')).status === 0 ? true : undefined,
    );
    const uid = (await machine.run(['id', '-u', 'ann'])).trim();
    const script =
      'echo $(id -un) $(id -u) $(id -G) $HOME $XDG_RUNTIME_DIR $DBUS_SESSION_BUS_ADDRESS $PENGUINDOME_CONFIG; exit 7';
    const asAnn = await tool(machine, 'user-run', 'ann', '--', 'sh', '-c', script);
    const runtime = `/run/user/${uid}`;
    t.deepEqual([asAnn.status, asAnn.stdout], [7, `ann ${uid} ${uid} /home/ann ${runtime} unix:path=${runtime}/bus\n`]);
    const ask = [
      'dbus-send',
      '--session',
      '--print-reply',
      '--dest=org.freedesktop.DBus',
      '/',
      'org.freedesktop.DBus.GetId',
    ];
    t.is((await tool(machine, 'user-run', 'ann', '--', ...ask)).status, 0);
    for (const [user, status] of [
      ['root', 1],
      ['dan', 75],
      ['nobody', 75],
    ] as const) {
      const refused = await tool(machine, 'user-run', user, '--', 'id');
      t.deepEqual([refused.status === 0, refused.stdout], [false, ''], user);
      if (user !== 'root') t.is(refused.status, status, user);
    }

    await exampleTells(machine, t.deepEqual);
  },
);

/** The example in Python, under the agent: what it sees in the session, and the same after the user has left. */
async function exampleTells(machine: Machine, expect: (actual: unknown, expected: unknown) => void): Promise<void> {
  const schemas = '/usr/share/glib-2.0/schemas';
  await machine.write(`${schemas}/org.example.sharing.gschema.xml`, SCHEMA);
  await machine.run(['glib-compile-schemas', schemas]);
  await machine.run([
    'install',
    '-D',
    '/opt/penguindome/examples/remote_desktop.py',
    '/etc/penguindome/plugins/remote_desktop.py',
  ]);
  await machine.write(
    '/etc/penguindome/agent.yml',
    'plugins: {local: true, settings: {remote_desktop: {schema: org.example.sharing}}}\n',
  );
  for (const user of ['bob', 'cat']) await machine.run(['systemctl', 'stop', `seat-${user}.service`]);
  await machine.until('ann alone', async () => ((await tool(machine, 'users')).stdout === 'ann\n' ? true : undefined));
  await machine.run([program('penguindome-agent'), 'collect']);
  const seen = JSON.parse(await collected(machine, 'remote_desktop'));
  expect(seen.users, [{ shared: true, user: 'ann' }]);
  await machine.run(['systemctl', 'stop', 'seat-ann.service']);
  await machine.until('nobody', async () => ((await tool(machine, 'users')).stdout === '' ? true : undefined));
  expect(JSON.parse(await collected(machine, 'remote_desktop')), seen);
}
