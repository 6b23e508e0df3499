import type { ExecutionContext } from 'ava';
import * as z from 'zod';
import { ADDRESSES, connect } from './support/connect.ts';
import { bootMachine, type Machine, type MachineOptions } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { program } from './support/site.ts';

const firewall = z.object({ status: z.enum(['on', 'off', 'unknown']), layers: z.record(z.string(), z.unknown()) });
/** Nobody names this port: it stands for whatever a user starts. */
const PORT = '4711';

interface Guarded {
  machine: Machine;
  /** what the built agent says */
  status(): Promise<string>;
  layers(): Promise<Record<string, unknown>>;
  /** whether a real TCP connection comes through the cable, from the other machine */
  isReached(): Promise<boolean>;
}

/** A machine with a service, and another one at the other end of its only cable. */
async function guarded(t: ExecutionContext, options: MachineOptions = {}): Promise<Guarded> {
  const [outside, machine] = await Promise.all([bootMachine(t), bootMachine(t, options)]);
  await connect(outside, machine);
  // The cable leads outside by being the way to everywhere: nothing here is hardware.
  await machine.run(['ip', 'route', 'add', 'default', 'via', ADDRESSES[0]]);
  await machine.run(['systemd-run', '--quiet', 'python3', '-m', 'http.server', PORT]);
  const said = async () =>
    firewall.parse(JSON.parse(await machine.run([program('penguindome-agent'), 'collectors', 'run', 'firewall'])));
  const isReached = async () => {
    const probe = `exec 3<>/dev/tcp/${ADDRESSES[1]}/${PORT}`;
    return (await outside.attempt(['timeout', '2', 'bash', '-c', probe])).status === 0;
  };
  await machine.until('the service is there', async () => {
    const { status } = await machine.attempt(['bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${PORT}`]);
    return status === 0 ? true : undefined;
  });
  return { machine, isReached, status: async () => (await said()).status, layers: async () => (await said()).layers };
}

/** Runs the commands, and holds the agent's word to what really comes through. */
async function holds(
  t: ExecutionContext,
  { machine, status, isReached }: Guarded,
  what: string,
  script: string,
  expected: 'on' | 'off',
) {
  await machine.run(['sh', '-e', '-c', script]);
  t.is(await isReached(), expected === 'off', `${what}: a connection`);
  t.is(await status(), expected, `${what}: the agent`);
}

const NFT = (policy: string, ...rules: string[]) =>
  `nft -f - <<'X'\nflush ruleset\ntable inet f { chain in { type filter hook input priority 0; policy ${policy}; iif lo accept; ct state established accept; tcp dport 22 accept; ${rules.join('; ')}; }; }\nX`;

onMachine('nftables by hand: what the agent says is what a connection from outside meets', async (t) => {
  const host = await guarded(t);
  await holds(t, host, 'no rules', 'nft flush ruleset', 'off');
  await holds(t, host, 'policy drop', NFT('drop', 'ct state invalid drop'), 'on');
  await holds(t, host, 'policy drop after all TCP was accepted', NFT('drop', 'meta l4proto tcp accept'), 'off');
  await holds(t, host, 'policy accept with a reject for all', NFT('accept', 'reject'), 'on');
  await holds(t, host, 'policy drop, and the cable accepted', NFT('drop', 'iifname "cable0" accept'), 'off');
  await holds(t, host, 'flushed', 'nft flush ruleset', 'off');
});

onMachine('ufw: on, on with incoming allowed, and off', async (t) => {
  const host = await guarded(t);
  await holds(t, host, 'never enabled, its unit active', 'systemctl is-active ufw', 'off');
  await holds(t, host, 'enabled', 'ufw allow ssh; ufw --force enable', 'on');
  await holds(t, host, 'enabled, incoming allowed', 'ufw default allow incoming', 'off');
  await holds(t, host, 'enabled, incoming rejected', 'ufw default reject incoming', 'on');
  await holds(t, host, 'disabled', 'ufw disable', 'off');
});

const BOTH = (...rules: string[]) =>
  ['iptables-legacy', 'ip6tables-legacy'].flatMap((tool) => rules.map((rule) => `${tool} ${rule}`)).join('; ');

onMachine('legacy iptables, which nft does not show: on, on with all accepted, and off', async (t) => {
  const host = await guarded(t);
  await holds(
    t,
    host,
    'policy DROP',
    BOTH('-P INPUT DROP', '-A INPUT -i lo -j ACCEPT', '-A INPUT -p tcp --dport 22 -j ACCEPT'),
    'on',
  );
  t.deepEqual((await host.machine.run(['nft', 'list', 'ruleset'])).trim(), '');
  t.true('iptables_legacy' in (await host.layers()));
  await holds(t, host, 'policy DROP, all TCP accepted', BOTH('-A INPUT -p tcp -j ACCEPT'), 'off');
  await holds(
    t,
    host,
    'policy ACCEPT, a reject last',
    BOTH('-F INPUT', '-P INPUT ACCEPT', '-A INPUT -i lo -j ACCEPT', '-A INPUT -j REJECT'),
    'on',
  );
  await holds(t, host, 'flushed', BOTH('-F INPUT'), 'off');
});

const ZONE = (zone: string) => `firewall-cmd -q --set-default-zone=${zone}`;

onMachine('firewalld: on, on with a zone that trusts everybody, and off', async (t) => {
  const host = await guarded(t, { variant: 'firewalls' });
  await host.machine.until('firewalld runs', async () =>
    (await host.machine.attempt(['firewall-cmd', '--state'])).status === 0 ? true : undefined,
  );
  await holds(t, host, 'as installed', ZONE('public'), 'on');
  await holds(t, host, 'the default zone is trusted', ZONE('trusted'), 'off');
  await host.machine.run(['firewall-cmd', '-q', '--zone=drop', '--change-interface=cable0']);
  t.false(await host.isReached());
  t.is(await host.status(), 'off', 'the next device that is plugged in would be trusted');
  await holds(
    t,
    host,
    'the cable alone is trusted',
    `${ZONE('public')}; firewall-cmd -q --zone=trusted --change-interface=cable0`,
    'off',
  );
  await holds(t, host, 'stopped', 'systemctl stop firewalld', 'off');
});
