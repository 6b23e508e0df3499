import type { FactDoc } from '../doc.ts';
import { inventory } from './inventory.ts';
import { repositories } from './repositories.ts';

export const packagesDocs: readonly FactDoc[] = [
  {
    fact: inventory,
    tells:
      'all packages of the whole system with their versions, each list by who manages it; a list of versions where a name is there in several; `system` is unknown where it is none of Debian, Fedora and Arch',
    reads: [
      '`/var/lib/dpkg/status`',
      '`rpm -qa`',
      '`/var/lib/pacman/local`',
      '`flatpak list --system`',
      '`/snap/*/current/meta/snap.yaml`',
    ],
    shape: '{deb | rpm | pacman: {NAME: VERSION | [VERSION]}, flatpak?: {…}, snap?: {…}}',
    cost: '60 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'real', fedora: 'real' },
    sources: ['flatpak-list(1)', 'the snap.yaml reference of snapcraft.io'],
  },
  {
    fact: repositories,
    tells:
      'where packages come from and what is wrong with it: `unsigned` (not checked), `unsigned-allowed` (a missing signature is let through), `any-key` (apt: without Signed-By any trusted key may sign it); `foreign`: not of the distribution, by the Origin that an apt repository gives itself, by its name with dnf and pacman. Of the URI of an apt source the server and the last part of the path are told, since what stands before may be a password or a token',
    reads: [
      '`/etc/apt/sources.list`, `sources.list.d`',
      '`apt-config dump`',
      '`/var/lib/apt/lists`',
      '`/etc/yum.repos.d`, `/etc/dnf/dnf.conf`, `repos.override.d` of dnf 5',
      '`pacman-conf`',
    ],
    shape: '[{name, file, foreign: true | false | unknown, problems: ["unsigned" | "unsigned-allowed" | "any-key"]}]',
    cost: '10 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'real', fedora: 'output' },
    sources: [
      'sources.list(5)',
      'dnf.conf(5), dnf5-config-manager(8), RepoSack::load_repos_configuration_overrides of libdnf5',
      'pacman.conf(5)',
    ],
  },
];
