import test from 'ava';
import { dns } from '../../../../src/agent/collectors/network/dns.ts';
import { parseResolvConf, parseResolvectl } from '../../../../src/agent/collectors/network/parse-resolve.ts';
import { saysOf } from './facts-of.ts';

test('resolv.conf names its servers, also with a zone or a comment behind', (t) => {
  const text =
    '# nameserver 1.1.1.1\nsearch x\nnameserver 192.0.2.1\n nameserver fe80::1%eth0 # router\nnameserver\nnameserver a b\n';
  t.deepEqual(parseResolvConf(text), ['192.0.2.1', 'fe80::1%eth0']);
  for (const noise of ['', '\0\ufffd', 'x'.repeat(100_000)]) t.deepEqual(parseResolvConf(noise), []);
});

test('what resolvectl says is read by link, also where a line goes on', (t) => {
  const text = 'Global: 192.0.2.1\nLink 2 (eth0): 198.51.100.1\n               198.51.100.2\nLink 3 (a) b): no\n';
  t.deepEqual(
    [...parseResolvectl(text)],
    [
      ['Global', '192.0.2.1'],
      ['2', '198.51.100.1 198.51.100.2'],
      ['3', 'no'],
    ],
  );
});

const STUB = { '/etc/resolv.conf': 'nameserver 127.0.0.53\noptions edns0 trust-ad\n' };
/** `resolvectl VERB` as systemd 257 prints it (test/e2e/network-facts.test.ts asks the real one). */
const resolvectl = (servers: string, overTls: string, dnssec: string) => ({
  '/usr/bin/resolvectl': `#!/bin/sh\ncase $1 in dns) echo '${servers}' ;; dnsovertls) echo '${overTls}' ;; dnssec) echo '${dnssec}' ;; esac\n`,
});

test('of links that have a server the weakest counts; what others are set to is asked of nobody', async (t) => {
  const said = await saysOf(t, dns, {
    ...STUB,
    ...resolvectl(
      'Global:\nLink 2 (wlan0): 192.0.2.1\nLink 3 (wg0): 10.0.0.1 192.0.2.1\nLink 4 (docker0):',
      'Global: no\nLink 2 (wlan0): opportunistic\nLink 3 (wg0): yes\nLink 4 (docker0): no',
      'Global: no\nLink 2 (wlan0): yes\nLink 3 (wg0): allow-downgrade\nLink 4 (docker0): no',
    ),
  });
  t.deepEqual(said, {
    dns: {
      via: 'systemd-resolved',
      resolvers: ['10.0.0.1', '192.0.2.1'],
      dns_over_tls: 'opportunistic',
      dnssec: 'allow-downgrade',
    },
  });
});

test('a resolved without any server, or one that does not answer, is unknown', async (t) => {
  t.like(await saysOf(t, dns, { ...STUB, ...resolvectl('Global:', 'Global: yes', 'Global: yes') }), {
    dns: { resolvers: [], dns_over_tls: 'unknown' },
  });
  t.like(await saysOf(t, dns, { ...STUB, '/usr/bin/resolvectl': '#!/bin/sh\nexit 1\n' }), {
    dns: { via: 'systemd-resolved', dns_over_tls: 'unknown', dnssec: 'unknown' },
  });
  t.like(await saysOf(t, dns, STUB), { dns: { dns_over_tls: 'unknown' } });
  // The question alone would start it (D-Bus).
  const stopped = { '/proc/1/comm': 'systemd\n', ...resolvectl('Global: 192.0.2.1', 'Global: yes', 'Global: yes') };
  t.like(await saysOf(t, dns, { ...STUB, ...stopped }), { dns: { dns_over_tls: 'unknown' } });
});

const PLAIN = { '/etc/resolv.conf': 'nameserver 192.0.2.9\nnameserver 192.0.2.1\n' };

test('where programs ask servers themselves they ask in the open', async (t) => {
  t.deepEqual(await saysOf(t, dns, PLAIN), {
    dns: { via: 'libc', resolvers: ['192.0.2.1', '192.0.2.9'], dns_over_tls: 'no', dnssec: 'no' },
  });
});

test('nss-resolve goes before resolv.conf, as long as resolved runs', async (t) => {
  const nss = { '/etc/nsswitch.conf': 'hosts: files myhostname resolve [!UNAVAIL=return] dns\n' };
  const strict = resolvectl('Global: 192.0.2.1', 'Global: yes', 'Global: yes');
  t.like(await saysOf(t, dns, { ...PLAIN, ...nss, ...strict }), { dns: { via: 'libc' } });
  const runs = { '/run/systemd/resolve/io.systemd.Resolve': '' };
  t.like(await saysOf(t, dns, { ...PLAIN, ...nss, ...strict, ...runs }), {
    dns: { via: 'systemd-resolved', dns_over_tls: 'yes' },
  });
});

test('of a resolver on this machine nobody knows how it asks, unless that is what it is for', async (t) => {
  const local = { '/etc/resolv.conf': 'nameserver 127.0.0.1\n', '/proc/1/comm': 'systemd\n' };
  t.like(await saysOf(t, dns, { ...local, '/proc/9/comm': 'dnsmasq\n' }), {
    dns: { via: 'local', dns_over_tls: 'unknown', dnssec: 'unknown' },
  });
  t.like(await saysOf(t, dns, { ...local, '/proc/9/comm': 'dnscrypt-proxy\n' }), {
    dns: { via: 'dnscrypt-proxy', dns_over_tls: 'yes' },
  });
});

test('without a resolv.conf nothing can be said', async (t) => {
  t.like(await saysOf(t, dns, {}), { dns: 'unknown' });
});
