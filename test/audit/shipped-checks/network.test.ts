import test from 'ava';
import { makeJudge } from '../../../src/audit/judge.ts';
import { loadChecks } from '../../../src/audit/load-checks.ts';
import type { Fields } from '../../../src/core/value.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const loaded = loadChecks(['checks.d']);
const FAILED = { stdout: '', stderr: 'boom', returncode: 1 };

/** `none`: the check is not for such a host; `fails` is whether it counts as a fail at once. */
type Row = [plugins: Fields, answer: 'pass' | 'fail' | 'unknown' | 'none', fails: boolean];

function table(name: string, rows: Record<string, Row>) {
  for (const [title, [plugins, answer, fails]] of Object.entries(rows)) {
    test(`${name}: ${title}: ${answer}`, async (t) => {
      const { results } = makeJudge((await loaded).checks).judge({ hostname: 'laptop', plugins }, undefined, AT);
      if (answer === 'none') t.is(results[name], undefined);
      else t.like(results[name], { answer, fails });
    });
  }
}

const network = (facts: Fields) => ({ network: facts });
const NOTHING = {
  'no such fact': [network({}), 'unknown', false],
  'the plugin failed': [{ network: FAILED }, 'unknown', false],
} satisfies Record<string, Row>;

const listens = (protocol: string, port: number, address = 'any') => ({ protocol, port, address, program: 'x' });
const listening = (...sockets: Fields[]) => network({ listening: sockets });
const SSH = listens('tcp', 22);

table('listening-unexpected', {
  ...NOTHING,
  'nothing listens': [listening(), 'pass', false],
  'ssh and a web server': [listening(SSH, listens('tcp', 443)), 'pass', false],
  telnet: [listening(SSH, listens('tcp', 23)), 'fail', true],
  FTP: [listening(listens('tcp', 21, 'private')), 'fail', true],
  rsh: [listening(listens('tcp', 514)), 'fail', true],
  'syslog, which has the same number': [listening(listens('udp', 514)), 'pass', false],
  'the second X server': [listening(listens('tcp', 6001)), 'fail', true],
  TFTP: [listening(listens('udp', 69)), 'fail', true],
  'a TCP and a UDP socket that would be one only together': [
    listening(listens('tcp', 69), listens('udp', 21)),
    'pass',
    false,
  ],
  'cannot tell': [network({ listening: 'unknown' }), 'unknown', false],
});

table('listening-database', {
  ...NOTHING,
  'ssh and PostgreSQL': [listening(SSH, listens('tcp', 5432)), 'pass', false],
  redis: [listening(SSH, listens('tcp', 6379, 'private')), 'fail', true],
  'memcached on UDP': [listening(listens('udp', 11_211)), 'fail', true],
  MongoDB: [listening(listens('tcp', 27_017)), 'fail', true],
  'cannot tell': [network({ listening: 'unknown' }), 'unknown', false],
});

table('listening-docker-api', {
  ...NOTHING,
  'the port without TLS': [listening(listens('tcp', 2375)), 'fail', true],
  'the port with TLS': [listening(listens('tcp', 2376)), 'pass', false],
  'cannot tell': [network({ listening: 'unknown' }), 'unknown', false],
});

const tool = (kind: string, installed: boolean, running: boolean | string) =>
  network({ remote_access_tools: [{ name: 'x', kind, installed, running }] });
table('remote-access-tool-present', {
  ...NOTHING,
  none: [network({ remote_access_tools: [] }), 'pass', false],
  'one that is relayed': [tool('relayed', true, false), 'fail', true],
  'one that runs without being installed': [tool('relayed', false, true), 'fail', true],
  'a VNC server': [tool('server', true, true), 'pass', false],
  'cannot tell': [network({ remote_access_tools: 'unknown' }), 'unknown', false],
});

table('remote-desktop-server-running', {
  ...NOTHING,
  none: [network({ remote_access_tools: [] }), 'pass', false],
  'one that is installed': [tool('server', true, false), 'pass', false],
  'one that runs': [tool('server', false, true), 'fail', true],
  'one of which it is not known': [tool('server', true, 'unknown'), 'pass', false],
  'cannot tell': [network({ remote_access_tools: 'unknown' }), 'unknown', false],
});

const dns = (dns_over_tls: string) => network({ dns: { via: 'libc', resolvers: [], dns_over_tls, dnssec: 'no' } });
table('dns-unencrypted', {
  ...NOTHING,
  'in the open': [dns('no'), 'fail', true],
  'encrypted where the server can': [dns('opportunistic'), 'pass', false],
  encrypted: [dns('yes'), 'pass', false],
  'a resolver on the machine': [dns('unknown'), 'unknown', false],
  'cannot tell': [network({ dns: 'unknown' }), 'unknown', false],
});

const wifi = (current: string, joins_open: number | string = 0) =>
  network({ wifi_security: { current, saved: {}, joins_open } });
table('wifi-open-network', {
  'no Wi-Fi': [network({}), 'none', false],
  'in no network': [wifi('none'), 'pass', false],
  open: [wifi('open'), 'fail', true],
  WEP: [wifi('wep'), 'fail', true],
  'enhanced open': [wifi('owe'), 'pass', false],
  WPA2: [wifi('wpa2'), 'pass', false],
  'cannot tell': [wifi('unknown'), 'unknown', false],
});
table('wifi-joins-open-networks', {
  'no Wi-Fi': [network({}), 'none', false],
  none: [wifi('none', 0), 'pass', false],
  some: [wifi('wpa2', 2), 'fail', true],
  'cannot tell': [wifi('wpa2', 'unknown'), 'unknown', false],
});

const routes = (redirects_accepted: boolean | string, source_routing_accepted: boolean | string) =>
  network({ routing: { redirects_accepted, source_routing_accepted } });
table('redirects-accepted', {
  ...NOTHING,
  'they are': [routes(true, false), 'fail', true],
  'they are not': [routes(false, true), 'pass', false],
  'cannot tell': [routes('unknown', false), 'unknown', false],
  'cannot tell at all': [network({ routing: 'unknown' }), 'unknown', false],
});
table('source-routing-accepted', {
  ...NOTHING,
  'it is': [routes(false, true), 'fail', true],
  'it is not': [routes(true, false), 'pass', false],
  'cannot tell': [routes(false, 'unknown'), 'unknown', false],
});

/** As the collector nests keys; a setting is `{value, expected, ok}`, or the word unknown. */
const kernel = (settings: Record<string, [value: number | string, ok: boolean] | 'unknown'>) => {
  const tree: Fields = {};
  for (const [key, setting] of Object.entries(settings)) {
    const steps = key.split('.');
    const leaf = setting === 'unknown' ? setting : { value: setting[0], expected: [], ok: setting[1] };
    const grown = steps.reduceRight<Fields | string>((below, step) => ({ [step]: below }), leaf);
    Object.assign(tree, grown);
  }
  return network({ sysctl: tree });
};
const perf = (kptr: number, paranoid: number | undefined) =>
  network({
    sysctl: {
      kernel: {
        kptr_restrict: { value: kptr, expected: [1, 2], ok: kptr > 0 },
        ...(paranoid === undefined
          ? {}
          : { perf_event_paranoid: { value: paranoid, expected: [2, 3, 4], ok: paranoid > 1 } }),
      },
    },
  });

table('kernel-pointers-exposed', {
  ...NOTHING,
  'nothing restricts': [perf(0, 1), 'fail', true],
  'the setting alone, where perf is restricted': [perf(0, 3), 'pass', false],
  'pointers are kept back': [perf(1, 1), 'pass', false],
  'a kernel without perf': [perf(0, undefined), 'pass', false],
  'cannot tell': [kernel({ 'kernel.kptr_restrict': 'unknown' }), 'unknown', false],
});

/** Checks of one setting: its key, and what is wrong and right. */
const SETTINGS: Record<
  string,
  [key: string, bad: [number | string, boolean], good: [number, boolean], missing: 'pass' | 'fail']
> = {
  'unprivileged-bpf': ['kernel.unprivileged_bpf_disabled', [0, false], [2, true], 'pass'],
  'ptrace-unrestricted': ['kernel.yama.ptrace_scope', [0, false], [1, true], 'pass'],
  'core-dumps-setuid': ['fs.suid_dumpable', [1, false], [2, true], 'pass'],
  'address-randomization-off': ['kernel.randomize_va_space', [1, false], [2, true], 'pass'],
  'links-unprotected': ['fs.protected_symlinks', [0, false], [1, true], 'pass'],
  'kernel-log-readable': ['kernel.dmesg_restrict', [0, false], [1, true], 'pass'],
  'syn-cookies-off': ['net.ipv4.tcp_syncookies', [0, false], [1, true], 'pass'],
};
for (const [name, [key, bad, good, missing]] of Object.entries(SETTINGS)) {
  table(name, {
    ...NOTHING,
    [`${key} ${bad[0]}`]: [kernel({ [key]: bad }), 'fail', true],
    [`${key} ${good[0]}`]: [kernel({ [key]: good }), 'pass', false],
    'a kernel without the setting': [kernel({ 'vm.mmap_min_addr': [65_536, true] }), missing, missing === 'fail'],
    'a setting that may not be read': [kernel({ [key]: 'unknown' }), 'unknown', false],
    'cannot tell': [network({ sysctl: 'unknown' }), 'unknown', false],
  });
}
table('ptrace-unrestricted', {
  'a kernel without Yama': [kernel({ 'kernel.yama.ptrace_scope': ['missing', false] }), 'fail', true],
});
table('links-unprotected', {
  'hard links': [kernel({ 'fs.protected_hardlinks': [0, false] }), 'fail', true],
});

const sshd = (config: Fields | string, status = 'running') => ({ sshd: { status, config } });
/** OpenSSH 9.2's own lists (Debian 12, `sshd -T`). */
const DEFAULTS = {
  ciphers:
    'chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com',
  kexalgorithms:
    'sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256',
  macs: 'umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1',
  maxauthtries: '6',
  passwordauthentication: 'yes',
  permitemptypasswords: 'no',
  x11forwarding: 'no',
};
const SSHD: Record<string, [key: string, ...bad: string[]]> = {
  'sshd-weak-ciphers': [
    'ciphers',
    '3des-cbc',
    'aes256-ctr,aes128-cbc',
    'arcfour,aes256-ctr',
    'rijndael-cbc@lysator.liu.se',
  ],
  'sshd-weak-macs': [
    'macs',
    'hmac-md5',
    'hmac-sha2-256,hmac-md5-etm@openssh.com',
    'hmac-sha1-96',
    'hmac-ripemd160@openssh.com',
  ],
  'sshd-weak-key-exchange': [
    'kexalgorithms',
    'diffie-hellman-group1-sha1',
    'curve25519-sha256,diffie-hellman-group14-sha1',
    'diffie-hellman-group-exchange-sha1',
  ],
  'sshd-max-auth-tries': ['maxauthtries', '7', '10', '99'],
  'sshd-empty-passwords': ['permitemptypasswords', 'yes'],
  'sshd-x11-forwarding': ['x11forwarding', 'yes'],
};
for (const [name, [key, ...bad]] of Object.entries(SSHD)) {
  table(name, {
    "OpenSSH's own settings": [sshd(DEFAULTS), 'pass', false],
    ...Object.fromEntries(
      bad.map((value): [string, Row] => [value, [sshd({ ...DEFAULTS, [key]: value }), 'fail', true]]),
    ),
    'a stopped server': [sshd({ ...DEFAULTS, [key]: bad[0] ?? '' }, 'stopped'), 'pass', false],
    'no server': [sshd({}, 'missing'), 'pass', false],
    'a server whose settings cannot be read': [sshd('unknown'), 'unknown', false],
    'a server that does not tell the setting': [sshd({}), 'unknown', false],
    'no plugin': [{}, 'unknown', false],
    'the plugin failed': [{ sshd: FAILED }, 'unknown', false],
  });
}
table('sshd-max-auth-tries', { 'a stricter number': [sshd({ ...DEFAULTS, maxauthtries: '3' }), 'pass', false] });
const EMPTY_BY_PAM = { ...DEFAULTS, permitemptypasswords: 'yes', passwordauthentication: 'no' };
table('sshd-empty-passwords', {
  'no passwords at all': [
    sshd({ ...DEFAULTS, permitemptypasswords: 'yes', passwordauthentication: 'no' }),
    'pass',
    false,
  ],
  'only those that PAM asks for': [
    sshd({ ...EMPTY_BY_PAM, usepam: 'yes', kbdinteractiveauthentication: 'yes' }),
    'fail',
    true,
  ],
  'only those that PAM asks for, before OpenSSH 8.7': [
    sshd({ ...EMPTY_BY_PAM, usepam: 'yes', challengeresponseauthentication: 'yes' }),
    'fail',
    true,
  ],
  'PAM asks for none': [sshd({ ...EMPTY_BY_PAM, usepam: 'yes', kbdinteractiveauthentication: 'no' }), 'pass', false],
  'somebody else than PAM asks': [
    sshd({ ...EMPTY_BY_PAM, usepam: 'no', kbdinteractiveauthentication: 'yes' }),
    'pass',
    false,
  ],
});

table('no-location', {
  'a place': [{ geolocation: { location: { lat: 52.5, lng: 13.4 }, accuracy: 30 } }, 'pass', false],
  'a place on the equator': [{ geolocation: { location: { lat: 0, lng: 0 }, accuracy: 30 } }, 'pass', false],
  unknown: [{ geolocation: 'unknown' }, 'unknown', true],
  'the collector failed': [{ geolocation: FAILED }, 'unknown', true],
  'it is not switched on': [{}, 'none', false],
});
