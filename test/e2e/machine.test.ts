import { bootMachine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';

onMachine('a machine boots with its own systemd, network and Node', async (t) => {
  const machine = await bootMachine(t);
  t.is((await machine.run(['systemctl', 'is-system-running'])).trim(), 'running');
  t.regex(await machine.run(['node', '--version']), /^v20\.19/);
  t.is((await machine.run(['ls', '/sys/class/net'])).trim(), 'lo');
});

onMachine('what a machine writes is gone with it, and is never in the shared tree', async (t) => {
  const first = await bootMachine(t);
  await first.write('/etc/written', 'here');
  t.is(await first.run(['cat', '/etc/written']), 'here');
  const second = await bootMachine(t);
  t.not((await second.attempt(['cat', '/etc/written'])).status, 0);
});
