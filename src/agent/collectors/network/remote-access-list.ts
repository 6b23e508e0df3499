/** A program by which somebody elsewhere uses this machine's screen and keyboard. */
export interface RemoteAccessTool {
  name: string;
  /** `relayed`: it calls its maker's service, so that firewalls do not keep it in; `server`: it waits for connections */
  kind: 'relayed' | 'server';
  /** what packages and installers put there; one is enough */
  files: readonly string[];
  /** names of its processes as the kernel keeps them: 15 bytes at most */
  processes: readonly string[];
}

const flatpak = (id: string) => `/var/lib/flatpak/app/${id}`;

/**
 * After GLPI's list of remote administration software (its agent's Task/Inventory/Generic/Remote_Mgmt), and where the makers' packages and
 * installers are known to put things: none of them was tried. Desktops' own servers (GNOME's, KDE's) are installed with the desktop: there only running counts.
 */
export const REMOTE_ACCESS_TOOLS: readonly RemoteAccessTool[] = [
  {
    name: 'anydesk',
    kind: 'relayed',
    files: ['/usr/bin/anydesk', flatpak('com.anydesk.Anydesk')],
    processes: ['anydesk'],
  },
  {
    name: 'chrome-remote-desktop',
    kind: 'relayed',
    files: ['/opt/google/chrome-remote-desktop'],
    processes: ['chrome-remote-d'],
  },
  {
    name: 'dwservice',
    kind: 'relayed',
    files: ['/usr/share/dwagent', '/opt/dwagent'],
    processes: ['dwagsvc', 'dwagent'],
  },
  { name: 'gnome-remote-desktop', kind: 'server', files: [], processes: ['gnome-remote-de'] },
  { name: 'krdp', kind: 'server', files: [], processes: ['krdpserver'] },
  { name: 'krfb', kind: 'server', files: ['/usr/bin/krfb'], processes: ['krfb'] },
  {
    name: 'meshcentral',
    kind: 'relayed',
    files: ['/usr/local/mesh_services/meshagent/meshagent', '/usr/local/mesh/meshagent', '/opt/meshagent'],
    processes: ['meshagent'],
  },
  {
    name: 'nomachine',
    kind: 'server',
    files: ['/usr/NX/bin/nxserver', '/etc/NX/nxserver'],
    processes: ['nxserver.bin', 'nxd'],
  },
  { name: 'parsec', kind: 'relayed', files: ['/usr/bin/parsecd'], processes: ['parsecd'] },
  {
    name: 'realvnc',
    kind: 'relayed',
    files: ['/usr/bin/vncserver-x11-serviced'],
    processes: ['vncserver-x11-s', 'vncserver-x11-c'],
  },
  {
    name: 'rustdesk',
    kind: 'relayed',
    files: [
      '/usr/bin/rustdesk',
      '/usr/share/rustdesk',
      '/usr/lib/rustdesk',
      '/snap/rustdesk',
      flatpak('com.rustdesk.RustDesk'),
    ],
    processes: ['rustdesk'],
  },
  {
    name: 'splashtop',
    kind: 'relayed',
    files: ['/opt/splashtop-streamer'],
    processes: ['SRFeature', 'SRStreamer', 'SRAgent'],
  },
  { name: 'supremo', kind: 'relayed', files: ['/opt/supremo', '/usr/bin/supremo'], processes: ['supremo', 'Supremo'] },
  {
    name: 'teamviewer',
    kind: 'relayed',
    files: ['/opt/teamviewer/tv_bin/teamviewerd', '/usr/bin/teamviewer'],
    processes: ['teamviewerd', 'TeamViewer'],
  },
  {
    name: 'tigervnc',
    kind: 'server',
    files: ['/usr/bin/Xtigervnc', '/usr/bin/x0vncserver', '/usr/bin/x0tigervncserver', '/usr/bin/Xvnc'],
    processes: ['Xtigervnc', 'x0vncserver', 'x0tigervncserve', 'Xvnc'],
  },
  { name: 'x11vnc', kind: 'server', files: ['/usr/bin/x11vnc'], processes: ['x11vnc'] },
  { name: 'xrdp', kind: 'server', files: ['/usr/sbin/xrdp', '/usr/bin/xrdp'], processes: ['xrdp', 'xrdp-sesman'] },
];
