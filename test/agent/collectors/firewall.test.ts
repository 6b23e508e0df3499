import { release } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { firewall } from '../../../src/agent/collectors/firewall.ts';
import { isFields, type Value, valueAt } from '../../../src/core/value.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, plant, saying } from './host-in-folder.ts';

const FIXTURES = `${process.cwd()}/test/fixtures/firewall`;

const recorded = (file: string) => `#!/bin/sh\ncat '${FIXTURES}/${file}'\n`;

const IPV6 = { '/proc/sys/net/ipv6/conf/all/disable_ipv6': '0\n' };
const ETH0 = { '/sys/class/net/eth0/device/vendor': '0x1af4\n' };
const UFW = (enabled: string) => ({ '/etc/ufw/ufw.conf': `# /etc/ufw/ufw.conf\nENABLED=${enabled}\nLOGLEVEL=low\n` });

const nft = (name: string) => ({ '/usr/bin/nft': recorded(`${name}.nft.json`) });
const withIptables = (name: string) => ({
  ...nft(name),
  '/usr/bin/iptables': recorded(`${name}.iptables`),
  '/usr/bin/ip6tables': recorded(`${name}.ip6tables`),
});

async function collect(t: ExecutionContext, files: Record<string, string>): Promise<Value | undefined> {
  const folder = await scratchFolder(t);
  await plant(folder, { ...IPV6, ...ETH0, ...files });
  const answer: unknown = await firewall.collect(hostInFolder(t, folder));
  return isFields(answer) ? answer : undefined;
}

const says = test.macro(
  async (t, files: Record<string, string>, expected: { status: string; layers: Record<string, string> }) => {
    const answer = await collect(t, files);
    const layers = valueAt(answer, 'layers');
    const statuses = Object.entries(isFields(layers) ? layers : {}).map(([name, layer]) => [
      name,
      valueAt(layer, 'status'),
    ]);
    t.deepEqual({ status: valueAt(answer, 'status'), layers: Object.fromEntries(statuses) }, expected);
  },
);

const off = { iptables: 'off', ip6tables: 'off' };
const on = { iptables: 'on', ip6tables: 'on' };

test(
  "Debian's own ruleset lets everything in: its service is active, and the firewall off",
  says,
  nft('debian-accept'),
  {
    status: 'off',
    layers: { nftables: 'off' },
  },
);

test('policy drop at the input hook is on', says, nft('debian-workstation'), {
  status: 'on',
  layers: { nftables: 'on' },
});

test("Arch's ruleset is on", says, nft('arch'), { status: 'on', layers: { nftables: 'on' } });

test('policy accept with a reject for all as last rule is on, through verdict maps and jumps', says, nft('vmap'), {
  status: 'on',
  layers: { nftables: 'on' },
});

const FIREWALLD = { '/usr/bin/firewalld': saying('') };

test(
  'firewalld with its zone public is on, though its policy is accept',
  says,
  { ...nft('firewalld-public'), ...FIREWALLD },
  {
    status: 'on',
    layers: { nftables: 'on', firewalld: 'on' },
  },
);

test(
  'firewalld with trusted as default zone runs, and is off',
  says,
  { ...nft('firewalld-trusted'), ...FIREWALLD },
  {
    status: 'off',
    layers: { nftables: 'off', firewalld: 'off' },
  },
);

test(
  'firewalld that trusts the device that leads outside is off',
  says,
  { ...nft('firewalld-trusted-interface'), ...FIREWALLD },
  { status: 'off', layers: { nftables: 'off', firewalld: 'off' } },
);

test(
  'firewalld that trusts a device that does not lead outside is on',
  says,
  {
    ...nft('firewalld-trusted-interface'),
    ...FIREWALLD,
    '/sys/class/net/eth0/device/vendor': '',
    '/sys/class/net/eth0/master': '-> ../br0',
  },
  { status: 'on', layers: { nftables: 'on', firewalld: 'on' } },
);

test(
  'firewalld that is installed but does not run is off',
  says,
  { ...nft('firewalld-stopped'), ...FIREWALLD },
  {
    status: 'off',
    layers: { nftables: 'off', firewalld: 'off' },
  },
);

test(
  'ufw that is enabled is on',
  says,
  { ...withIptables('ufw-on'), ...UFW('yes') },
  {
    status: 'on',
    layers: { ...on, nftables: 'on', ufw: 'on' },
  },
);

test(
  'ufw that allows incoming by default is off, though enabled',
  says,
  { ...withIptables('ufw-allow'), ...UFW('yes') },
  {
    status: 'off',
    layers: { ...off, nftables: 'off', ufw: 'off' },
  },
);

test(
  'ufw that rejects incoming by default is on',
  says,
  { ...withIptables('ufw-reject'), ...UFW('yes') },
  {
    status: 'on',
    layers: { ...on, nftables: 'on', ufw: 'on' },
  },
);

test(
  'ufw that was disabled is off, though its chains are still there',
  says,
  { ...withIptables('ufw-off'), ...UFW('no') },
  {
    status: 'off',
    layers: { ...off, nftables: 'off', ufw: 'off' },
  },
);

test(
  'ufw that is enabled but not loaded is off',
  says,
  { ...withIptables('legacy-drop'), ...UFW('yes') },
  {
    status: 'off',
    layers: { ...off, nftables: 'off', ufw: 'off' },
  },
);

test('iptables with policy DROP is on', says, withIptables('iptables-drop'), {
  status: 'on',
  layers: { ...on, nftables: 'on' },
});

test('iptables with REJECT as last rule is on, though its policy is ACCEPT', says, withIptables('iptables-reject'), {
  status: 'on',
  layers: { ...on, nftables: 'on' },
});

test(
  'a firewall for one family only is off where the machine speaks the other too',
  says,
  { ...withIptables('iptables-drop'), '/usr/bin/ip6tables': recorded('legacy-drop.ip6tables') },
  { status: 'off', layers: { iptables: 'on', ip6tables: 'off', nftables: 'off' } },
);

test(
  'a firewall for IPv4 is enough where IPv6 is switched off',
  says,
  {
    ...withIptables('iptables-drop'),
    '/usr/bin/ip6tables': recorded('legacy-drop.ip6tables'),
    '/proc/sys/net/ipv6/conf/all/disable_ipv6': '1\n',
  },
  { status: 'on', layers: { iptables: 'on', ip6tables: 'off', nftables: 'on' } },
);

test(
  "iptables-legacy's rules count, though nft and iptables do not show them",
  says,
  {
    ...withIptables('legacy-drop'),
    '/proc/net/ip_tables_names': 'filter\n',
    '/proc/net/ip6_tables_names': 'filter\n',
    '/usr/bin/iptables-legacy': recorded('legacy-drop.iptables-legacy'),
    '/usr/bin/ip6tables-legacy': recorded('legacy-drop.iptables-legacy'),
  },
  { status: 'on', layers: { ...off, iptables_legacy: 'on', ip6tables_legacy: 'on', nftables: 'off' } },
);

test(
  'legacy rules that no program here can show are unknown',
  says,
  { ...nft('legacy-drop'), '/proc/net/ip_tables_names': 'filter\n' },
  { status: 'unknown', layers: { iptables_legacy: 'unknown', nftables: 'off' } },
);

test(
  'iptables that is the legacy one is asked only where its table exists',
  says,
  { '/usr/bin/iptables': '-> xtables-legacy-multi', '/usr/bin/xtables-legacy-multi': saying('', 1) },
  { status: 'off', layers: { iptables: 'off' } },
);

const DENIED = saying('', 1);
const BUILT_IN = `/lib/modules/${release()}/modules.builtin`;
const UNLOADED = { '/proc/modules': 'ext4 1 1 - Live 0x0\n', [BUILT_IN]: 'kernel/fs/fuse/fuse.ko\n' };

test(
  'without the privilege to look it is unknown',
  says,
  { '/usr/bin/nft': DENIED, '/usr/bin/iptables': saying('', 4), ...UFW('yes') },
  {
    status: 'unknown',
    layers: { iptables: 'unknown', nftables: 'unknown', ufw: 'unknown' },
  },
);

test(
  'without the privilege to look it is off where the kernel has not even loaded a packet filter',
  says,
  {
    '/usr/bin/nft': DENIED,
    ...UNLOADED,
  },
  { status: 'off', layers: { nftables: 'off' } },
);

for (const [title, files, isAsked] of [
  ['of which nothing is loaded, is not loaded by asking', UNLOADED, false],
  ['that is loaded is asked', { ...UNLOADED, '/proc/modules': 'nf_tables 1 1 - Live 0x0\n' }, true],
  ['that is built in is asked', { ...UNLOADED, [BUILT_IN]: 'kernel/net/netfilter/nf_tables.ko\n' }, true],
  ['of which nobody says whether it is built in is asked', { '/proc/modules': 'ext4 1 1 - Live 0x0\n' }, true],
  ['is asked where modules are not to be seen', {}, true],
] as const) {
  test(`nftables ${title}`, async (t) => {
    const folder = await scratchFolder(t);
    await plant(folder, { ...IPV6, ...ETH0, ...withIptables('iptables-drop'), ...files });
    const ran: string[] = [];
    const inside = hostInFolder(t, folder);
    const answer: unknown = await firewall.collect({
      ...inside,
      run: (path, args, options) => {
        ran.push(path);
        return inside.run(path, args, options);
      },
    });
    t.is(ran.length > 0, isAsked);
    t.is(valueAt(isFields(answer) ? answer : undefined, 'status'), isAsked ? 'on' : 'off');
  });
}

test('iptables that writes to nftables is not run either where nothing of it is loaded', async (t) => {
  const answer = await collect(t, { '/usr/bin/iptables': DENIED, '/usr/bin/ip6tables': DENIED, ...UNLOADED });
  t.is(valueAt(answer, 'status'), 'off');
  t.deepEqual(valueAt(answer, 'layers.iptables.status'), 'off');
});

test('a machine without any firewall program is off', says, {}, { status: 'off', layers: {} });

test(
  'a machine without a program, but with a packet filter that something loaded, is unknown',
  says,
  { '/proc/modules': 'nf_tables 1 1 - Live 0x0\n' },
  {
    status: 'unknown',
    layers: {},
  },
);

test(
  'output that is no ruleset is unknown',
  says,
  { '/usr/bin/nft': saying('garbage') },
  {
    status: 'unknown',
    layers: { nftables: 'unknown' },
  },
);

test("the layers of iptables have the original's shape", async (t) => {
  const answer = await collect(t, withIptables('iptables-drop'));
  t.deepEqual(valueAt(answer, 'layers.iptables'), {
    policies: { INPUT: 'DROP', FORWARD: 'ACCEPT', OUTPUT: 'ACCEPT' },
    status: 'on',
  });
});
