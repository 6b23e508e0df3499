import * as z from 'zod';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { program } from './support/site.ts';

const firewall = z.object({ status: z.string() });
const sshd = z.object({ status: z.string(), config: z.record(z.string(), z.unknown()).optional() });

/** What one collector says, run as root. */
async function collected<T>(machine: Machine, name: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(JSON.parse(await machine.run([program('penguindome-agent'), 'collectors', 'run', name])));
}

onMachine('the firewall of a plain Debian is off, though the nftables unit is active', async (t) => {
  const machine = await bootMachine(t);
  t.is((await collected(machine, 'firewall', firewall)).status, 'off');
  await machine.run(['systemctl', 'start', 'nftables.service']);
  t.is((await collected(machine, 'firewall', firewall)).status, 'off');
});

onMachine('an nftables input chain whose policy is drop is a firewall that is on', async (t) => {
  const machine = await bootMachine(t);
  await machine.write(
    '/etc/nftables.conf',
    'flush ruleset\ntable inet filter { chain input { type filter hook input priority 0; policy drop; iif lo accept; }; }\n',
  );
  await machine.run(['systemctl', 'start', 'nftables.service']);
  t.is((await collected(machine, 'firewall', firewall)).status, 'on');
});

onMachine('ufw is a firewall that is on once it is enabled, and off again once disabled', async (t) => {
  const machine = await bootMachine(t);
  await machine.run(['ufw', '--force', 'enable']);
  t.is((await collected(machine, 'firewall', firewall)).status, 'on');
  await machine.run(['ufw', 'disable']);
  t.is((await collected(machine, 'firewall', firewall)).status, 'off');
});

onMachine('sshd is running with the configuration in force, or stopped', async (t) => {
  const machine = await bootMachine(t);
  const running = await collected(machine, 'sshd', sshd);
  t.is(running.status, 'running');
  t.is(running.config?.['permitrootlogin'], 'without-password');
  await machine.run(['systemctl', 'stop', 'ssh.service', 'ssh.socket']);
  t.is((await collected(machine, 'sshd', sshd)).status, 'stopped');
});
