import type { FactDoc } from '../doc.ts';
import { automaticUpdates } from './automatic-updates.ts';
import { flatpakUpdates } from './flatpak-updates.ts';
import { heldPackages } from './held-packages.ts';
import { livepatch } from './livepatch.ts';
import { metadataAge } from './metadata-age.ts';
import { releaseSupport } from './release-support.ts';
import { snapUpdates } from './snap-updates.ts';

export const updatesDocs: readonly FactDoc[] = [
  {
    fact: automaticUpdates,
    tells:
      'whether security updates are installed without anybody doing it: the tool is there, its settings say so, its timers run, and its origins hold the security archive; on Linux Mint the Update Manager may do it too; on Arch `not-applicable`, in words',
    reads: [
      '`apt-config dump`',
      "units in systemd's folders",
      '`/etc/cron.daily/apt-compat`',
      '`/etc/dnf/automatic.conf`, `/etc/dnf/dnf5-plugins/automatic.conf`',
      '`/var/lib/linuxmint/mintupdate-automatic-upgrades-enabled`',
      '`/etc/rpm-ostreed.conf`',
    ],
    shape: '{by: TOOL | "nothing", enabled: true | false | "not-applicable", problems: [TEXT]}',
    cost: '10 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: [
      'apt.systemd.daily of apt 2.6',
      'unattended-upgrades(8)',
      'dnf-automatic(8)',
      'dnf5-automatic(8)',
      'rpm-ostreed.conf(5)',
    ],
  },
  {
    fact: flatpakUpdates,
    tells:
      'applications and runtimes of the whole system with an update, by what the machine last heard; absent without flatpak, unknown where it never heard',
    reads: ['`flatpak remote-ls --updates --cached`'],
    shape: '[REF]',
    cost: '50 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['flatpak-remote-ls(1)'],
  },
  {
    fact: heldPackages,
    tells:
      'packages that are kept from updates: held by dpkg, locked by the versionlock plugin or excluded in dnf.conf, ignored in pacman.conf (groups as `group NAME`)',
    reads: [
      '`/var/lib/dpkg/status`',
      '`/etc/dnf/plugins/versionlock.list`',
      '`/etc/dnf/versionlock.toml`',
      '`/etc/dnf/dnf.conf`',
      '`pacman-conf`',
    ],
    shape: '[NAME]',
    cost: '30 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'real', fedora: 'output' },
    sources: ['dnf versionlock plugin', 'dnf5-versionlock(8)'],
  },
  {
    fact: livepatch,
    tells:
      "patches that the running kernel has, and what Canonical's client says of them; absent where the kernel cannot be patched and no such tool is installed",
    reads: ['`/sys/kernel/livepatch`', '`/snap/bin/canonical-livepatch status --format json`'],
    root: 'unknown, where the client answers root only',
    shape: '{patches: [{name, enabled}], kpatch?: true, canonical?: {check, state}}',
    cost: '1 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['Documentation/ABI/testing/sysfs-kernel-livepatch', "Landscape's REST API documentation, livepatch/info"],
  },
  {
    fact: metadataAge,
    tells:
      'how long ago the source that was asked longest ago confirmed its package data; unknown where dnf has none of some repository',
    reads: [
      '`/var/lib/apt/lists`',
      '`/etc/yum.repos.d`, `repos.override.d` of dnf 5, `/var/cache/dnf`, `/var/cache/libdnf5`',
      '`/var/lib/pacman/sync`',
    ],
    shape: '"under-2-days" | "under-7-days" | "under-30-days" | "older" | "never"',
    cost: '1 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'real', fedora: 'real' },
  },
  {
    fact: releaseSupport,
    tells:
      'whether the release still gets security updates for everybody, and until when: by SUPPORT_END of os-release, distro-info-data, or the table that the agent has; with Ubuntu Pro until the end of ESM; unknown for releases that none of them knows',
    reads: ['`/etc/os-release`', '`/usr/share/distro-info/*.csv`', '`/var/lib/ubuntu-advantage/status.json`'],
    shape:
      '{release, supported: true | false, until: DATE | "none", kind: "regular" | "long-term" | "rolling", source}',
    cost: '1 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['distro-info-data 0.58', 'os-release(5)', 'those named in updates/support-ends.ts'],
  },
  {
    fact: snapUpdates,
    tells:
      'snaps with an update that snapd has not installed yet, and whether it is told to install none; absent without snapd',
    reads: ['`/var/lib/snapd/state.json`'],
    root: 'unknown',
    shape: '{held: true | false, waiting: [NAME]}',
    cost: '5 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'output', fedora: 'output' },
    sources: ['snapd, overlord/snapstate'],
  },
];
