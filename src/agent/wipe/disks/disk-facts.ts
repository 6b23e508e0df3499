/** What of this machine is encrypted, by what, and what is not. */
export interface DiskFacts {
  /** everything that holds a LUKS header, opened or not */
  headers: HeaderFacts[];
  /** mappings of LUKS that are open, by name, whose header was not found: it is kept elsewhere */
  withoutHeader: string[];
  /** mappings of other kinds: `plain`, `bitlk`, `tcrypt` … */
  otherMappings: { name: string; kind: string }[];
  /** mounted on a disk, or swap, and not encrypted */
  plain: string[];
  /** encrypted by ZFS, by fscrypt, by systemd-homed, by the disk itself: sentences */
  elsewhere: string[];
  /** crypttab names headers on devices that are not to be seen */
  missing: string[];
}

export interface HeaderFacts {
  /** `/dev/vda3`, or a file that holds a header alone */
  path: string;
  isFile: boolean;
  version: 1 | 2;
  /** names of open mappings of this volume */
  open: string[];
  /** on a stick or card that the system does not run from */
  removable: boolean;
  /** the running system lies on it: it goes last, so that a crash before leaves what can go on */
  system: boolean;
}
