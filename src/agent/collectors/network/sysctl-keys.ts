/** One kernel setting, and the values that harden. */
export interface SysctlKey {
  /** as sysctl(8) writes it */
  key: string;
  expected: readonly number[];
  /** what it means that a kernel has no such setting; where absent it has no such danger either, and nothing is told */
  missing?: 'unprotected';
}

/**
 * Those of Lynis' list (KRNL-6000, default.prf) that matter on machines of today, and what Debian's and Fedora's own hardening guides add.
 * Left out: what desktops and containers cannot do without (kernel.modules_disabled, user namespaces), and IPv6's forwarding and
 * net.ipv4.ip_forward, which are a router's or a container host's job, no mistake. What accepts packets is `routing`'s: it depends on the devices.
 */
export const SYSCTL_KEYS: readonly SysctlKey[] = [
  { key: 'dev.tty.ldisc_autoload', expected: [0] },
  { key: 'fs.protected_fifos', expected: [1, 2] },
  { key: 'fs.protected_hardlinks', expected: [1] },
  { key: 'fs.protected_regular', expected: [1, 2] },
  { key: 'fs.protected_symlinks', expected: [1] },
  { key: 'fs.suid_dumpable', expected: [0, 2] },
  { key: 'kernel.dmesg_restrict', expected: [1] },
  { key: 'kernel.io_uring_disabled', expected: [1, 2] },
  { key: 'kernel.kexec_load_disabled', expected: [1] },
  { key: 'kernel.kptr_restrict', expected: [1, 2] },
  { key: 'kernel.perf_event_paranoid', expected: [2, 3, 4] },
  { key: 'kernel.randomize_va_space', expected: [2] },
  { key: 'kernel.unprivileged_bpf_disabled', expected: [1, 2] },
  // Without Yama nothing keeps a process from reading its user's others.
  { key: 'kernel.yama.ptrace_scope', expected: [1, 2, 3], missing: 'unprotected' },
  { key: 'net.core.bpf_jit_harden', expected: [1, 2] },
  { key: 'net.ipv4.conf.all.accept_redirects', expected: [0] },
  { key: 'net.ipv4.conf.all.accept_source_route', expected: [0] },
  { key: 'net.ipv4.conf.all.bootp_relay', expected: [0] },
  { key: 'net.ipv4.conf.all.log_martians', expected: [1] },
  { key: 'net.ipv4.conf.all.proxy_arp', expected: [0] },
  { key: 'net.ipv4.conf.all.rp_filter', expected: [1, 2] },
  { key: 'net.ipv4.conf.all.send_redirects', expected: [0] },
  { key: 'net.ipv4.conf.default.accept_redirects', expected: [0] },
  { key: 'net.ipv4.conf.default.accept_source_route', expected: [0] },
  { key: 'net.ipv4.conf.default.rp_filter', expected: [1, 2] },
  { key: 'net.ipv4.icmp_echo_ignore_broadcasts', expected: [1] },
  { key: 'net.ipv4.icmp_ignore_bogus_error_responses', expected: [1] },
  { key: 'net.ipv4.tcp_rfc1337', expected: [1] },
  { key: 'net.ipv4.tcp_syncookies', expected: [1, 2] },
  { key: 'net.ipv6.conf.all.accept_redirects', expected: [0] },
  { key: 'net.ipv6.conf.all.accept_source_route', expected: [0, -1] },
  { key: 'net.ipv6.conf.default.accept_redirects', expected: [0] },
  { key: 'net.ipv6.conf.default.accept_source_route', expected: [0, -1] },
  { key: 'vm.mmap_min_addr', expected: [32768, 65536] },
  { key: 'vm.unprivileged_userfaultfd', expected: [0] },
];
