import type { FactDoc } from '../doc.ts';
import { bootloader } from './bootloader.ts';
import { cpuVulnerabilities } from './cpu-vulnerabilities.ts';
import { firmware } from './firmware.ts';
import { kernelLockdown } from './kernel-lockdown.ts';
import { moduleSigning } from './module-signing.ts';
import { rebootRequired } from './reboot-required.ts';
import { secureBoot } from './secure-boot.ts';
import { thunderbolt } from './thunderbolt.ts';
import { tpm } from './tpm.ts';

/** The same files of the kernel on all of them. */
const KERNEL = {
  'debian-12': 'output',
  'debian-13': 'output',
  ubuntu: 'output',
  arch: 'output',
  fedora: 'output',
} as const;

export const bootDocs: readonly FactDoc[] = [
  {
    fact: bootloader,
    tells:
      "whether whoever sits before the machine can change the kernel's command line: not where GRUB has superusers (in grub.cfg, custom.cfg, or by grub2-setpassword), or systemd-boot has `editor no`",
    reads: [
      '`/boot/grub*/grub.cfg`, `user.cfg`, `custom.cfg`',
      '`/etc/grub.d`',
      '`loader.conf`',
      'the EFI variable LoaderInfo',
    ],
    root: '"unknown" where grub.cfg is root\'s alone',
    shape: '{loader: "grub" | "systemd-boot" | "unknown", protected: true | false | "unknown"}',
    cost: '2 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: [
      'GRUB manual, "Authentication and authorisation"',
      "grub.cfg with Fedora's 01_users, as in CentOS 7 and Fedora 23",
      'loader.conf(5)',
    ],
  },
  {
    fact: cpuVulnerabilities,
    tells: 'the holes of the processor that the kernel knows of, without those that this one does not have',
    reads: ['`/sys/devices/system/cpu/vulnerabilities/*`'],
    shape: '{vulnerable: [NAME], mitigated: [NAME], unclear: [NAME]}',
    cost: '2 ms',
    tested: { ...KERNEL, 'debian-12': 'real' },
    sources: ["the kernel's Documentation/admin-guide/hw-vuln"],
  },
  {
    fact: firmware,
    tells:
      'the firmware updates that wait, as far as the lists on this machine say (older than 30 days: unknown), and the number of the Host Security ID where fwupd tells what it takes (not in virtual machines)',
    reads: ['`fwupdmgr get-updates`', '`fwupdmgr security`', '`/var/lib/fwupd/metadata`, `/var/lib/fwupd/remotes.d`'],
    shape: '{hsi?: 0 to 5, updates: [{device, version, available}] | "unknown"} | "unknown"',
    cost: '100 ms, and what the daemon takes to start; what is unknown is asked again after 6h',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['fwupdmgr(1)', 'src/fu-util.c, src/fu-security-attrs.c and src/fu-remote-list.c of fwupd 1.8'],
  },
  {
    fact: kernelLockdown,
    tells: 'how far the kernel refuses even root to change it while it runs',
    reads: ['`/sys/kernel/security/lockdown`'],
    shape: '"none" | "integrity" | "confidentiality"',
    cost: '1 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'no', fedora: 'output' },
    sources: ['kernel_lockdown(7)'],
  },
  {
    fact: moduleSigning,
    tells:
      'whether the kernel loads modules with a valid signature only, because it was told so or because it is locked down',
    reads: ['`/sys/module/module/parameters/sig_enforce`', '`/sys/kernel/security/lockdown`'],
    shape: '"enforced" | "not-enforced" | "no-modules"',
    cost: '1 ms',
    tested: KERNEL,
    sources: ["the kernel's Documentation/admin-guide/module-signing.rst", 'kernel_lockdown(7)'],
  },
  {
    fact: rebootRequired,
    tells:
      'whether a newer kernel of the kind that runs is installed, or updated packages ask for a restart; left out where there is no kernel (containers) and nobody asked',
    reads: [
      '/boot, /usr/lib/modules',
      '`/run/reboot-required`, /proc/version, /var/lib/dpkg/status (Debian, Ubuntu)',
      '`dnf needs-restarting -r` (Fedora, RHEL: once after each start and each change of packages)',
    ],
    shape: '{required: true | false | "unknown", because: ["kernel" | "packages"], running, newest?}',
    cost: '3 ms; dnf 1 s',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['names of released kernels', 'needs_restarting.py of dnf-plugins-core 4'],
  },
  {
    fact: secureBoot,
    tells:
      'whether the firmware starts signed code only; `setup-mode`: anybody may put keys in; `not-enforced`: on, but shim was told to check nothing (`mokutil --disable-validation`); `no-efi`: started by a BIOS; `unsupported`: the firmware has none',
    reads: ['`/sys/firmware/efi/efivars`'],
    shape: '"on" | "off" | "setup-mode" | "not-enforced" | "unsupported" | "no-efi"',
    cost: '1 ms',
    tested: KERNEL,
    sources: ['UEFI specification 2.10, section 3.3', 'efi_get_secureboot of the kernel'],
  },
  {
    fact: thunderbolt,
    tells:
      'for each Thunderbolt or USB4 controller whether a device that is plugged in is kept from reading memory, by the IOMMU or because somebody must allow it; `bolt`: boltctl is there; left out where there is no controller',
    reads: ['`/sys/bus/thunderbolt/devices/domain*`'],
    shape:
      '{bolt: true | false, ports: [{domain, iommu_dma_protection: true | false | "unknown", security: "none" | "user" | "secure" | "dponly" | "usbonly" | "nopcie", protected: true | false | "unknown"}]}',
    cost: '1 ms',
    tested: KERNEL,
    sources: ["the kernel's Documentation/admin-guide/thunderbolt.rst"],
  },
  {
    fact: tpm,
    tells: 'the version of the TPM; unknown where the firmware lists one that the kernel does not show',
    reads: ['`/sys/class/tpm`', '`/sys/firmware/acpi/tables`'],
    shape: '"2.0" | "1.2" | "none"',
    cost: '1 ms',
    tested: KERNEL,
    sources: ["the kernel's Documentation/ABI/stable/sysfs-class-tpm"],
  },
];
