import test from 'ava';
import { REMOTE_ACCESS_TOOLS } from '../../../../src/agent/collectors/network/remote-access-list.ts';
import { remoteAccessTools } from '../../../../src/agent/collectors/network/remote-access-tools.ts';
import { saysOf } from './facts-of.ts';

const INIT = { '/proc/1/comm': 'systemd\n' };

for (const { name, kind, files, processes } of REMOTE_ACCESS_TOOLS) {
  test(`${name} is told where one of its files is there, or one of its processes runs`, async (t) => {
    for (const file of files) {
      t.deepEqual(await saysOf(t, remoteAccessTools, { ...INIT, [file]: 'x' }), {
        remote_access_tools: [{ name, kind, installed: true, running: false }],
      });
    }
    for (const process of processes) {
      t.true(Buffer.byteLength(process) <= 15, 'the kernel keeps 15 bytes');
      t.deepEqual(await saysOf(t, remoteAccessTools, { ...INIT, '/proc/77/comm': `${process}\n` }), {
        remote_access_tools: [{ name, kind, installed: false, running: true }],
      });
    }
  });
}

test('several are in the order of their names, and a process is part of the same answer', async (t) => {
  const files = { '/usr/bin/x11vnc': 'x', '/usr/bin/anydesk': 'x', '/proc/5/comm': 'anydesk\n' };
  t.deepEqual(await saysOf(t, remoteAccessTools, { ...INIT, ...files }), {
    remote_access_tools: [
      { name: 'anydesk', kind: 'relayed', installed: true, running: true },
      { name: 'x11vnc', kind: 'server', installed: true, running: false },
    ],
  });
});

test('programs that only look at other machines do not count', async (t) => {
  const clients = { '/usr/bin/remmina': 'x', '/usr/bin/vncviewer': 'x', '/usr/bin/xfreerdp': 'x', '/usr/bin/ssh': 'x' };
  t.deepEqual(await saysOf(t, remoteAccessTools, { ...INIT, ...clients }), { remote_access_tools: [] });
});

test('where processes of others are hidden, what is installed is told, and that it runs is unknown', async (t) => {
  t.like(await saysOf(t, remoteAccessTools, { '/usr/bin/anydesk': 'x' }), {
    remote_access_tools: [{ name: 'anydesk', installed: true, running: 'unknown' }],
  });
  t.like(await saysOf(t, remoteAccessTools, {}), { remote_access_tools: 'unknown' });
});
