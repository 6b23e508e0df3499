import test from 'ava';
import { activeTargets } from '../../src/agent/systemd-targets.ts';

const LIST =
  'multi-user.target loaded active active Multi-User System\nbasic.target loaded active active Basic System\n';
const facts = {
  id: '1:1',
  kind: 'directory',
  size: 0,
  mode: 0o755,
  uid: 0,
  modified: new Date(),
  changed: new Date(),
} as const;

function host({ stdout = '', code = 0, systemd = true }: { stdout?: string; code?: number; systemd?: boolean }) {
  return {
    stat: async () => (systemd ? facts : undefined),
    find: async () => '/usr/bin/systemctl',
    run: async () => ({ code, stdout, stderr: '' }),
  };
}

test('the active targets are told sorted, bluetooth left out', async (t) => {
  const stdout = `${LIST}bluetooth.target loaded active active Bluetooth Support\n`;
  t.is(await activeTargets(host({ stdout })), 'basic.target multi-user.target');
  t.is(await activeTargets(host({ stdout: LIST })), await activeTargets(host({ stdout })));
});

test('a target that comes or goes makes a difference', async (t) => {
  const stdout = `${LIST}shutdown.target loaded active active System Shutdown\n`;
  t.not(await activeTargets(host({ stdout })), await activeTargets(host({ stdout: LIST })));
});

test('without systemd, or when it does not say, nothing is known', async (t) => {
  t.is(await activeTargets(host({ systemd: false })), undefined);
  t.is(await activeTargets(host({ code: 1, stdout: LIST })), undefined);
});
