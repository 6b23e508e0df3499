import type { FactDoc } from '../doc.ts';
import { antivirus } from './antivirus.ts';
import { auditLog } from './audit-log.ts';
import { certificates } from './certificates.ts';
import { mac } from './mac.ts';
import { timeSync } from './time-sync.ts';
import { usb } from './usb.ts';

const OUTPUT = {
  'debian-12': 'output',
  'debian-13': 'output',
  ubuntu: 'output',
  arch: 'output',
  fedora: 'output',
} as const;

export const protectionDocs: readonly FactDoc[] = [
  {
    fact: antivirus,
    tells:
      'which of ClamAV, Microsoft Defender, CrowdStrike Falcon, SentinelOne, ESET and Carbon Black are installed, whether each works, and, where it keeps definitions here, whether these are recent (ClamAV: built within 3 days; ESET: written within 2; Defender: its own word)',
    reads: [
      '`/proc`',
      '`/opt/…`',
      'the head of `/var/lib/clamav/daily.cvd`',
      '`mdatp health --output json`, `falconctl -g --rfm-state` where they are installed',
    ],
    root: '`running` of CrowdStrike is `unknown`',
    shape: '[{name, running: true | false | "unknown", recent?: true | false | "unknown"}]',
    cost: '1 ms without any; with `mdatp` 100 ms',
    tested: { ...OUTPUT, arch: 'no' },
    sources: [
      '"Investigate agent health issues" of Microsoft for `mdatp health`',
      'the CrowdStrike FAQ for `--rfm-state`',
      'the manual of ClamAV for the header of its databases',
      'paths and names of processes: the manuals of their makers; never tried with the products themselves',
    ],
  },
  {
    fact: auditLog,
    tells:
      'whether auditd runs, whether the journal outlives a restart (`none`: there is no journald), and whether a syslog daemon keeps a log beside it',
    reads: ['`/proc`', '`journald.conf` and its drop-ins', '`/var/log/journal`'],
    root: '`unknown` where /proc hides the processes of others',
    shape: '{auditd: "running" | "stopped" | "absent", journal: "persistent" | "volatile" | "none", syslog}',
    cost: '10 ms, most of it for the list of processes, which is read once for all',
    tested: { ...OUTPUT, 'debian-13': 'real' },
    sources: ['journald.conf(5)', 'proc_pid_status(5)'],
  },
  {
    fact: certificates,
    tells:
      'of the certificates of this machine, the files whose first one ends within 14 days (`soon`) or has ended (`expired`), and how many were looked at; bundles of trusted authorities, and links to them, are none of its own',
    reads: [
      '`/etc/ssl`, `/etc/ssl/certs`, `/etc/ssl/private`, `/etc/ssl/localcerts`, `/etc/pki/tls/certs`',
      '`/etc/letsencrypt/live/*/cert.pem`',
    ],
    root: 'without those in folders that are for root alone',
    shape: '{checked: COUNT, expiring: [{path, class: "soon" | "expired"}]}',
    cost: '5 ms',
    tested: { ...OUTPUT, 'debian-12': 'real', 'debian-13': 'real' },
    sources: ['files made by openssl'],
  },
  {
    fact: mac,
    tells:
      'which mandatory access control the kernel has, and whether it enforces anything: SELinux in enforcing mode, or at least one AppArmor profile that is not only complaining',
    reads: [
      '`/sys/fs/selinux/enforce`',
      '`/sys/module/apparmor/parameters/enabled`',
      '`/sys/kernel/security/apparmor/profiles`',
    ],
    root: 'with AppArmor `enforcing` is `unknown`',
    shape:
      '{kind: "apparmor" | "selinux" | "none", enforcing: true | false | "unknown", profiles?: {enforce: COUNT, complain: COUNT}}',
    cost: '1 ms',
    tested: OUTPUT,
    sources: [
      '`/sys/kernel/security/apparmor/profiles` of Ubuntu 24.04 and Debian 12, as apparmor(7) and aa-status(8) describe it',
      'selinux(8)',
    ],
  },
  {
    fact: timeSync,
    tells:
      "what sets the clock, and whether it has found a time to set it by: a service that runs without reaching a server is not synchronised; left out in a container without such a service, whose clock is the machine's below it",
    reads: [
      '`/proc`',
      '`chronyc -c tracking`, `ntpq` or `ntpctl`, for the one that runs',
      '`/run/systemd/timesync/synchronized`',
      '`/run/systemd/container`, `/.dockerenv`, `/run/.containerenv`',
    ],
    root: '`unknown` where /proc hides the processes of others',
    shape: '{service: "chrony" | "systemd-timesyncd" | "ntpd" | "none", synchronised: true | false | "unknown"}',
    cost: '5 ms',
    tested: { ...OUTPUT, 'debian-13': 'real' },
    sources: ['chronyc(1)', 'RFC 9327 and ntpq(8)', 'ntpctl(8)', 'systemd-timesyncd.service(8)'],
  },
  {
    fact: usb,
    tells:
      'whether USBGuard runs, what the ports do with a new device (`internal`: only those built in are accepted), and whether sticks are kept out by a rule for usb-storage; left out where there is no USB',
    reads: ['`/sys/bus/usb/devices`', '`/proc`, `/proc/cmdline`', '`modprobe.d`'],
    root: '`usbguard` is `unknown` where /proc hides the processes of others',
    shape:
      '{usbguard: "running" | "stopped" | "absent", new_devices: "accepted" | "internal" | "refused", storage_blocked}',
    cost: '1 ms',
    tested: OUTPUT,
    sources: [
      '"Authorizing (or not) your USB devices to connect to the system" of the kernel documentation',
      'modprobe.d(5)',
    ],
  },
];
