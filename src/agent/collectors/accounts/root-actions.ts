/** Actions of polkit with which one becomes root: programs, services and packages of one's choice, accounts, whole machines. */
const ROOT_ACTIONS = [
  'org.debian.apt.install-file',
  'org.debian.apt.install-or-remove-packages',
  'org.freedesktop.accounts.user-administration',
  'org.freedesktop.machine1.host-login',
  'org.freedesktop.machine1.host-shell',
  'org.freedesktop.packagekit.package-install-untrusted',
  'org.freedesktop.policykit.exec',
  'org.freedesktop.systemd1.manage-unit-files',
  'org.freedesktop.systemd1.manage-units',
  'org.libvirt.unix.manage',
];

/** @param prefix the name is only how actions begin */
export function leadsToRoot(action: string, prefix = false): boolean {
  return ROOT_ACTIONS.some((known) => (prefix ? known.startsWith(action) : known === action));
}
