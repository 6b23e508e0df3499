/** UEFI for a virtual machine: Debian's package ovmf. */
export const OVMF = '/usr/share/ovmf/OVMF.fd';
