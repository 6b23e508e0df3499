import type { Answers } from './answers.ts';

/** systemd.network(5). @returns undefined where DHCP does it, as the image has it */
export function networkFile({ addresses, gateways, name_servers }: Answers): string | undefined {
  if (addresses.length === 0 && name_servers.length === 0) return undefined;
  return [
    '# Written by the first boot.',
    '[Match]',
    'Type=ether',
    'Kind=!*',
    '',
    '[Network]',
    `DHCP=${addresses.length === 0 ? 'yes' : 'no'}`,
    ...addresses.map((address) => `Address=${address}`),
    ...gateways.map((gateway) => `Gateway=${gateway}`),
    ...name_servers.map((server) => `DNS=${server}`),
    '',
    '[DHCPv4]',
    'UseHostname=no',
    '',
    '[DHCPv6]',
    'UseHostname=no',
    '',
  ].join('\n');
}
