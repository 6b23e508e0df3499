import * as z from 'zod';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { program } from './support/site.ts';

const setting = z.object({ value: z.union([z.number(), z.string()]), expected: z.array(z.number()), ok: z.boolean() });
const facts = z.object({
  listening: z.array(z.object({ protocol: z.string(), port: z.number(), address: z.string(), program: z.string() })),
  dns: z.object({
    via: z.string(),
    resolvers: z.union([z.array(z.string()), z.literal('unknown')]),
    dns_over_tls: z.string(),
    dnssec: z.string(),
  }),
  proxy: z.array(z.record(z.string(), z.unknown())),
  remote_access_tools: z.array(z.unknown()),
  sysctl: z.object({ kernel: z.object({ randomize_va_space: setting, kptr_restrict: setting }).loose() }).loose(),
  vpn: z.object({ up: z.boolean(), tun: z.boolean(), wireguard: z.boolean() }).loose(),
});

const look = async (machine: Machine) =>
  facts.parse(JSON.parse(await machine.run([program('penguindome-agent'), 'collectors', 'run', 'network'])));

const SSH = { protocol: 'tcp', port: 22, address: 'any', program: 'sshd' };

for (const suite of ['trixie', 'bookworm'] as const) {
  onMachine(`what the network facts say of a booted ${suite}`, async (t) => {
    const machine = await bootMachine(t, { suite });
    await machine.write('/etc/resolv.conf', 'nameserver 192.0.2.1\n');
    await machine.write(
      '/etc/apt/apt.conf.d/99proxy',
      'Acquire { http { Proxy "http://alice:s3cret@apt.example:3142"; }; };\n',
    );
    await machine.write('/etc/environment', 'https_proxy=http://alice:s3cret@env.example\n');
    await machine.run(['systemd-run', '--quiet', 'python3', '-m', 'http.server', '6379']);
    await machine.run(['systemd-run', '--quiet', 'python3', '-m', 'http.server', '8000', '--bind', '127.0.0.1']);
    await machine.until('both services listen', async () => {
      const sockets = await machine.run(['ss', '-Hltn']);
      return /:6379 /.test(sockets) && /:8000 /.test(sockets) ? true : undefined;
    });
    const said = await look(machine);
    t.deepEqual(said.listening, [SSH, { protocol: 'tcp', port: 6379, address: 'any', program: 'python3' }]);
    t.deepEqual(said.dns, { via: 'libc', resolvers: ['192.0.2.1'], dns_over_tls: 'no', dnssec: 'no' });
    t.deepEqual(said.proxy, [
      { from: 'apt', scheme: 'http', host: 'apt.example', port: 3142 },
      { from: 'environment', scheme: 'https', host: 'env.example', port: 80 },
    ]);
    t.deepEqual(said.remote_access_tools, []);
    for (const key of ['randomize_va_space', 'kptr_restrict'] as const) {
      t.is(String(said.sysctl.kernel[key].value), (await machine.run(['sysctl', '-n', `kernel.${key}`])).trim());
    }
    t.false(said.vpn.up);
    t.deepEqual(await look(machine), said, 'a second look says the same');
  });
}

onMachine('systemd-resolved tells by link what it encrypts, and which servers it asks', async (t) => {
  const machine = await bootMachine(t, { variant: 'firewalls' });
  const resolve = (...lines: string[]) =>
    machine.write('/etc/systemd/resolved.conf.d/x.conf', ['[Resolve]', ...lines, ''].join('\n'));
  await machine.run(['ln', '-sf', '/run/systemd/resolve/stub-resolv.conf', '/etc/resolv.conf']);
  for (const [over_tls, dnssec] of [
    ['no', 'no'],
    ['opportunistic', 'allow-downgrade'],
    ['yes', 'yes'],
  ]) {
    await resolve('DNS=192.0.2.1 2001:db8::1', 'FallbackDNS=', `DNSOverTLS=${over_tls}`, `DNSSEC=${dnssec}`);
    await machine.run(['systemctl', 'restart', 'systemd-resolved']);
    t.deepEqual((await look(machine)).dns, {
      via: 'systemd-resolved',
      resolvers: ['192.0.2.1', '2001:db8::1'],
      dns_over_tls: over_tls ?? '',
      dnssec: dnssec ?? '',
    });
  }
  await machine.run(['systemctl', 'stop', 'systemd-resolved']);
  t.like((await look(machine)).dns, { via: 'systemd-resolved', dns_over_tls: 'unknown' });
});
