import test from 'ava';
import { statusOf } from '../../../../src/agent/collectors/firewall/evaluate.ts';
import { parseIptables } from '../../../../src/agent/collectors/firewall/parse-iptables.ts';

/** Rules of `-A INPUT` before a last one that drops all: off where one of them lets the packet in. */
const RULES: Record<string, 'on' | 'off' | 'unknown'> = {
  '-j ACCEPT': 'off',
  '-i lo -j ACCEPT': 'on',
  '! -i lo -j ACCEPT': 'off',
  '-i eth0 -j ACCEPT': 'off',
  '-i eth+ -j ACCEPT': 'off',
  '-i docker0 -j ACCEPT': 'on',
  '-s 10.0.0.0/8 -j ACCEPT': 'on',
  '! -s 10.0.0.0/8 -j ACCEPT': 'off',
  '-d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT': 'on',
  '! -s 127.0.0.0/8 -d 127.0.0.0/8 -j ACCEPT': 'on',
  '-d 192.0.2.2/32 -j ACCEPT': 'unknown',
  '-p icmp -j ACCEPT': 'on',
  '-p tcp -j ACCEPT': 'off',
  '-p tcp -m tcp --dport 22 -j ACCEPT': 'on',
  '-p tcp -m tcp --dport 1024:65535 -j ACCEPT': 'off',
  '-p tcp -m tcp ! --dport 22 -j ACCEPT': 'off',
  '-p tcp -m multiport --dports 22,80,443 -j ACCEPT': 'on',
  '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT': 'off',
  '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT': 'on',
  '-m conntrack --ctstate NEW -j ACCEPT': 'off',
  '-m state --state NEW,ESTABLISHED -j ACCEPT': 'off',
  '-m conntrack ! --ctstate INVALID -j ACCEPT': 'off',
  '-m addrtype --dst-type LOCAL -j ACCEPT': 'off',
  '-m comment --comment "let -j ACCEPT in" -j ACCEPT': 'off',
  '-m comment --comment "all -j ACCEPT" -j LOG --log-prefix "-j ACCEPT "': 'on',
  '-m limit --limit 3/min -j ACCEPT': 'off',
  '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m limit --limit 1/sec -j ACCEPT': 'off',
  '-m limit --limit 3/min -j LOG': 'on',
  '-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-name x -j ACCEPT': 'off',
  '-m hashlimit --hashlimit-above 5/sec --hashlimit-burst 5 --hashlimit-name x -j ACCEPT': 'on',
  '-m connlimit --connlimit-above 10 --connlimit-mask 32 --connlimit-saddr -j ACCEPT': 'on',
  '-m connlimit ! --connlimit-above 10 --connlimit-mask 32 --connlimit-saddr -j ACCEPT': 'off',
  '-m quota --quota 1000000 -j ACCEPT': 'off',
  '-m statistic --mode random --probability 0.5 -j ACCEPT': 'unknown',
  '-s 0.0.0.0/1 -j ACCEPT': 'off',
  '-s 192.0.2.1/32 -j ACCEPT': 'on',
  '-m iprange --src-range 1.0.0.0-255.255.255.254 -j ACCEPT': 'off',
  '-m iprange --src-range 10.0.0.1-10.0.0.20 -j ACCEPT': 'on',
  '-m set --match-set admins src -j ACCEPT': 'on',
  '-m mac --mac-source 02:00:00:00:00:01 -j ACCEPT': 'on',
  '-m dreams --of packets -j ACCEPT': 'unknown',
  '-j NFQUEUE --queue-num 0': 'unknown',
  '-j MARK --set-xmark 0x1/0xffffffff': 'on',
  '-j own': 'off',
  '-g own': 'off',
  '-j empty': 'on',
  '-g empty': 'off',
  '-j RETURN': 'off',
};

for (const [rule, expected] of Object.entries(RULES)) {
  test(`before a last rule that drops all, "${rule}" is ${expected}`, (t) => {
    const rules = [
      '-P INPUT ACCEPT',
      '-N own',
      '-N empty',
      `-A INPUT ${rule}`,
      '-A INPUT -j DROP',
      '-A own -j ACCEPT',
      '-A empty -j RETURN',
    ];
    t.is(statusOf([parseIptables(rules.join('\n'), 'ip').filter], ['ip'], ['eth0']), expected);
  });
}

test('chains that jump to each other come to an end, as unknown', (t) => {
  const rules = '-P INPUT ACCEPT\n-N a\n-N b\n-A INPUT -j a\n-A a -j b\n-A b -j a\n';
  t.is(statusOf([parseIptables(rules, 'ip').filter], ['ip'], []), 'unknown');
});

test('one filter that drops is enough, whatever the others accept', (t) => {
  const filters = ['ACCEPT', 'DROP'].map((policy) => parseIptables(`-P INPUT ${policy}\n`, 'ip').filter);
  t.is(statusOf(filters, ['ip'], []), 'on');
});
