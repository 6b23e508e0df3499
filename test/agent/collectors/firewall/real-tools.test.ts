import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import type { HostAccess } from '../../../../src/agent/collector.ts';
import { firewall } from '../../../../src/agent/collectors/firewall.ts';
import { whenPresent } from '../../../support/needs.ts';
import { thisHost } from '../host-in-folder.ts';

const PROGRAMS = [
  '/usr/sbin/nft',
  '/usr/sbin/iptables',
  '/usr/sbin/ip6tables',
  '/usr/sbin/iptables-legacy',
  '/usr/bin/unshare',
];
const NAMESPACES = spawnSync('/usr/bin/unshare', ['-n', '/usr/sbin/nft', 'list', 'ruleset']).status === 0;
const real = whenPresent(
  PROGRAMS.every((path) => existsSync(path)) && NAMESPACES,
  'nftables, iptables, or network namespaces',
);

/** This machine, but every program looks at a network namespace of its own, in which the rules were just made. */
function withRules(t: ExecutionContext, rules: string): HostAccess {
  const host = thisHost(t);
  return {
    ...host,
    run: (path, args, options) =>
      host.run('/usr/bin/unshare', ['-n', '/bin/sh', '-c', `set -e; ${rules}\nexec "$0" "$@"`, path, ...args], options),
    // Of the machine itself only its devices count: not its ufw, its legacy tables, or that it may speak no IPv6.
    readText: async (file, options) => {
      if (file.endsWith('/disable_ipv6')) return '0\n';
      return /ufw|tables_names/.test(file) ? undefined : host.readText(file, options);
    },
    stat: (file) => (file.includes('tables_names') ? Promise.resolve(undefined) : host.stat(file)),
  };
}

const CHAIN = 'nft add table inet f; nft "add chain inet f in { type filter hook input priority 0; policy';

const RULESETS: Record<string, { rules: string; status: string }> = {
  'no rules': { rules: '', status: 'off' },
  'nft with policy accept': { rules: `${CHAIN} accept; }"`, status: 'off' },
  'nft with policy drop': { rules: `${CHAIN} drop; }"`, status: 'on' },
  'nft with policy drop, for IPv4 only': {
    rules: 'nft add table ip f; nft "add chain ip f in { type filter hook input priority 0; policy drop; }"',
    status: 'off',
  },
  'nft that rejects last': {
    rules: `${CHAIN} accept; }"; nft add rule inet f in tcp dport 22 accept; nft add rule inet f in counter reject`,
    status: 'on',
  },
  'nft that drops what comes in by other devices than lo': {
    rules: `${CHAIN} accept; }"; nft add rule inet f in iifname != lo drop`,
    status: 'on',
  },
  'nft that accepts all TCP before it drops': {
    rules: `${CHAIN} drop; }"; nft add rule inet f in meta l4proto tcp accept`,
    status: 'off',
  },
  'nft that accepts some addresses and ports before it drops': {
    rules: `${CHAIN} drop; }"; nft add rule inet f in ip saddr { 10.0.0.0/8, 192.0.2.1 } accept; nft add rule inet f in tcp dport { 22, 8000-8100 } accept`,
    status: 'on',
  },
  'nft that accepts what comes within a rate': {
    rules: `${CHAIN} drop; }"; nft add rule inet f in 'limit rate 1000/second accept'`,
    status: 'off',
  },
  'nft that drops what comes beyond a rate': {
    rules: `${CHAIN} accept; }"; nft add rule inet f in 'limit rate over 10/second drop'`,
    status: 'off',
  },
  'nft that accepts an amount': {
    rules: `${CHAIN} drop; }"; nft add rule inet f in 'quota until 100 mbytes accept'`,
    status: 'off',
  },
  'nft that accepts a range of nearly all addresses': {
    rules: `${CHAIN} drop; }"; nft add rule inet f in 'ip saddr 1.0.0.0-255.255.255.254 accept'`,
    status: 'off',
  },
  'nft that accepts a range of few addresses': {
    rules: `${CHAIN} drop; }"; nft add rule inet f in 'ip saddr 10.0.0.1-10.0.0.20 accept'`,
    status: 'on',
  },
  'nft that accepts all global addresses of IPv6': {
    rules: `${CHAIN} drop; }"; nft add rule inet f in 'ip6 saddr 2000::/3 accept'`,
    status: 'off',
  },
  'nft that accepts any address with most ports': {
    rules: `${CHAIN} drop; }"; nft add rule inet f in 'ip saddr . tcp dport { 0.0.0.0/0 . 1-65535 } accept'`,
    status: 'off',
  },
  'nft that accepts some addresses, each with a port': {
    rules: `${CHAIN} drop; }"; nft add rule inet f in 'ip saddr . tcp dport { 10.0.0.0/8 . 22, 192.0.2.1 . 1-65535 } accept'`,
    status: 'on',
  },
  'iptables with policy DROP, both families': {
    rules: 'iptables -P INPUT DROP; ip6tables -P INPUT DROP',
    status: 'on',
  },
  'iptables with policy DROP, IPv4 only': { rules: 'iptables -P INPUT DROP', status: 'off' },
  'iptables that accepts new connections by an extension': {
    rules: 'iptables -P INPUT DROP; ip6tables -P INPUT DROP; iptables -A INPUT -m conntrack --ctstate NEW -j ACCEPT',
    status: 'off',
  },
  'iptables and nft, each for one family': {
    rules:
      'iptables -A INPUT -j REJECT; nft add table ip6 g; nft "add chain ip6 g in { type filter hook input priority 0; policy drop; }"',
    status: 'on',
  },
};

for (const [name, { rules, status }] of Object.entries(RULESETS)) {
  real(`${name}: ${status}`, async (t) => {
    t.like(await firewall.collect(withRules(t, rules)), { status });
  });
}

real('as another user than root the firewall is unknown', async (t) => {
  const host = thisHost(t);
  const answer = await firewall.collect({
    ...host,
    isRoot: false,
    run: (path, args, options) =>
      host.run('/usr/bin/setpriv', ['--reuid=65534', '--clear-groups', path, ...args], options),
  });
  t.like(answer, { status: 'unknown', layers: { nftables: { status: 'unknown' } } });
});
