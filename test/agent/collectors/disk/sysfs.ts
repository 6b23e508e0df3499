/** A disk of the machine's own, with what lies on it: files for `plant`. */
export function disk(name: string, above = ''): Record<string, string> {
  return {
    [`/sys/class/block/${name}`]: `-> ../../devices/pci0000:00/${above}block/${name}`,
    [`/sys/devices/pci0000:00/${above}block/${name}/removable`]: '0\n',
  };
}

/** A stick: USB disks do not call themselves removable. */
export function stick(name: string): Record<string, string> {
  return disk(name, 'usb1/1-1/');
}

/** Something of device-mapper's. @param uuid begins with its kind */
export function mapping(kernel: string, name: string, uuid: string, below: string): Record<string, string> {
  return {
    [`/sys/class/block/${kernel}`]: `-> ../../devices/virtual/block/${kernel}`,
    [`/sys/devices/virtual/block/${kernel}/dm/uuid`]: `${uuid}\n`,
    [`/sys/devices/virtual/block/${kernel}/dm/name`]: `${name}\n`,
    [`/sys/devices/virtual/block/${kernel}/slaves/${below}`]: '',
  };
}

export const MOUNTINFO = '/proc/1/mountinfo';

/** One line of mountinfo. @param device MAJOR:MINOR */
export function mounted(mountpoint: string, type: string, source: string, device: string, options = 'rw'): string {
  return `30 1 ${device} / ${mountpoint} rw,relatime shared:1 - ${type} ${source} ${options}\n`;
}
