import type { FactDoc } from '../doc.ts';
import { dns } from './dns.ts';
import { listening } from './listening.ts';
import { proxy } from './proxy.ts';
import { remoteAccessTools } from './remote-access-tools.ts';
import { routing } from './routing.ts';
import { sysctl } from './sysctl.ts';
import { vpn } from './vpn.ts';
import { wifiSecurity } from './wifi-security.ts';

export const networkDocs: readonly FactDoc[] = [
  {
    fact: dns,
    tells:
      'whom the machine asks for names, and whether encrypted and signed; of several links the weakest. Unknown where a resolver on the machine itself is asked',
    reads: ['`/etc/resolv.conf`', '`/etc/nsswitch.conf`', '`resolvectl`, where systemd-resolved runs'],
    shape:
      '{via: "libc" | "systemd-resolved" | "local" | NAME, resolvers: [ADDRESS], dns_over_tls: "no" | "opportunistic" | "yes", dnssec: "no" | "allow-downgrade" | "yes"}',
    cost: '20 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'no', fedora: 'output' },
    sources: ['resolvectl(1)', 'nss-resolve(8)'],
  },
  {
    fact: listening,
    tells:
      'sockets that other machines reach, with the class of the address and the program; IPv4 and IPv6, and several addresses of one class, are one. Left out: UDP sockets on ports that the kernel gives to clients (`ip_local_port_range`), unless the kernel itself holds them',
    reads: ['`/proc/net/{tcp,tcp6,udp,udp6}`', '`/proc/PID/fd`', '`/proc/PID/comm`', '`/proc/PID/cgroup`'],
    root: 'the programs of others are unknown',
    shape:
      '[{protocol: "tcp" | "udp", port, address: "any" | "private" | "public" | "link_local", program: NAME | "kernel"}]',
    cost: '30 ms, with the files of all processes where the last socket is held by the last of them: of each 64, or 4096 where that does not tell, and 100,000 of all',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['proc(5)'],
  },
  {
    fact: proxy,
    tells: 'proxies that are set for all users or for the system itself: where, without names, passwords and paths',
    reads: [
      '`/etc/environment`, `/etc/profile`, `/etc/profile.d`, `/etc/environment.d`',
      '`/etc/systemd/{system,user}.conf` and their `.d`',
      '`apt-config`',
      '`/etc/dnf/dnf.conf`',
      '`/etc/dconf/db/*.d`',
    ],
    shape:
      '[{from: "apt" | "dnf" | "environment" | "gnome", scheme: "http" | "https" | "ftp" | "socks" | "all" | "auto", host?, port?}]',
    cost: '10 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['dnf.conf(5)', 'dconf(7)'],
  },
  {
    fact: remoteAccessTools,
    tells:
      'programs by which somebody elsewhere uses screen and keyboard: `relayed` ones call their maker, `server` ones wait for connections',
    reads: ['the files of their packages below `/usr`, `/opt`, `/snap` and `/var/lib/flatpak`', '`/proc/PID/comm`'],
    root: 'the same, unless processes of others are hidden (hidepid): then `running` is unknown',
    shape: '[{name, kind: "relayed" | "server", installed, running}]',
    cost: '20 ms',
    tested: { 'debian-12': 'no', 'debian-13': 'no', ubuntu: 'no', arch: 'no', fedora: 'no' },
  },
  {
    fact: routing,
    tells:
      'whether the kernel takes redirects and source routes on the devices that lead outside: as it joins `conf.all` and the device itself, for IPv4 and IPv6',
    reads: ['`/proc/sys/net/{ipv4,ipv6}/conf`', '`/sys/class/net`', '`/proc/net/route`, `/proc/net/ipv6_route`'],
    shape: '{redirects_accepted, source_routing_accepted}',
    cost: '3 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ["the kernel's ip-sysctl.rst and include/linux/inetdevice.h"],
  },
  {
    fact: sysctl,
    tells:
      'kernel settings that harden, each under its own key (`sysctl.kernel.kptr_restrict.value`), with the values that do. A key that the kernel lacks is left out; Yama that it lacks is `missing`',
    reads: ['`/proc/sys`'],
    root: 'a few keys that only root may read are unknown',
    shape: '{kernel: {kptr_restrict: {value, expected: [VALUE], ok}, …}, …}',
    cost: '5 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ["Lynis' default.prf", "the kernel's admin-guide/sysctl"],
  },
  {
    fact: vpn,
    tells:
      'whether a VPN is up, by kind. Devices of virtual machines (tap) are none; a tun device counts while its program runs',
    reads: [
      '`/sys/class/net`',
      '`ip xfrm state count`, where strongSwan or libreswan is installed',
      '`nmcli`, where NetworkManager runs',
    ],
    root: '`ipsec` is unknown',
    shape: '{up, ipsec, networkmanager, tun, wireguard}',
    cost: '3 ms; 40 ms with NetworkManager',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'no', fedora: 'no' },
    sources: ['nmcli(1)', 'ip-xfrm(8)', "the kernel's linux/if_tun.h and net/wireguard"],
  },
  {
    fact: wifiSecurity,
    tells:
      'how the network is encrypted that the machine is in, and how many saved ones there are of each kind; `joins_open` counts those without encryption, or with WEP, that it joins unasked. No names. Left out on machines without Wi-Fi',
    reads: ['`nmcli`, else `wpa_cli`', "NetworkManager's keyfiles", '`/var/lib/iwd`', '`/etc/wpa_supplicant`'],
    root: '`saved` and `joins_open` are unknown',
    shape:
      '{current: "none" | "open" | "owe" | "wep" | "wpa1" | "wpa2" | "wpa3" | "wpa1_eap" | "wpa2_eap" | "wpa3_eap" | "other", saved: {KIND: COUNT}, joins_open}',
    cost: '60 ms with NetworkManager',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['nm-settings-keyfile(5)', 'nmcli(1)', 'iwd.network(5)', 'wpa_supplicant.conf(5)'],
  },
];
