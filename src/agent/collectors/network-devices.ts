import type { NetworkInterfaceInfo } from 'node:os';
import { seconds } from '../../core/duration.ts';
import type { Collector, HostAccess } from '../collector.ts';
import { namesIn, textOf } from './lenient.ts';
import { type Device, FAMILY, ipv4Netmask, ipv6Netmask, parseIpAddress, sortedDevice } from './parse-ip-address.ts';

export const networkDevices = {
  name: 'network_devices',
  describe: 'network devices and their addresses',
  timeout: seconds(20),
  collect: collectDevices,
} satisfies Collector;

/** The host's end of a container's cable: Docker, LXD and their like give it another random name and address at each start. */
const FLEETING = /^veth[0-9a-f]{6,}$/;

async function collectDevices(host: HostAccess): Promise<unknown> {
  const devices = (await fromIp(host)) ?? (await fromKernel(host));
  const lasting = [...devices].filter(([name]) => !FLEETING.test(name));
  return Object.fromEntries(lasting.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** iproute2 sees all addresses, also on a device whose cable is out, with the broadcast addresses that they were given. */
async function fromIp(host: HostAccess): Promise<Map<string, Device> | undefined> {
  const ip = await host.find('ip');
  if (ip === undefined) return undefined;
  const { code, stdout } = await host.run(ip, ['-j', 'address', 'show'], { timeout: seconds(10) });
  return code === 0 ? parseIpAddress(stdout) : undefined;
}

/** Without it: hardware addresses from sysfs, the others from Node, which shows those of running devices only. */
async function fromKernel(host: HostAccess): Promise<Map<string, Device>> {
  const addresses = host.networkInterfaces();
  const devices = new Map<string, Device>();
  for (const name of (await namesIn(host, '/sys/class/net')) ?? Object.keys(addresses)) {
    const folder = `/sys/class/net/${name}`;
    if (
      (await textOf(host, `${folder}/type`))?.trim() === LOOPBACK ||
      addresses[name]?.some(({ internal }) => internal)
    )
      continue;
    const hardware = (await textOf(host, `${folder}/address`))?.trim() ?? '';
    const broadcast = (await textOf(host, `${folder}/broadcast`))?.trim() ?? '';
    devices.set(
      name,
      sortedDevice({
        [FAMILY.packet]: /^[0-9a-f]{2}(?::[0-9a-f]{2}){5,}$/.test(hardware) ? [{ addr: hardware, broadcast }] : [],
        ...internetAddresses(name, addresses[name] ?? []),
      }),
    );
  }
  return devices;
}

/** ARPHRD_LOOPBACK of if_arp.h */
const LOOPBACK = '772';

function internetAddresses(device: string, addresses: readonly NetworkInterfaceInfo[]): Device {
  const prefix = (address: NetworkInterfaceInfo) => Number(address.cidr?.split('/')[1] ?? 0);
  return {
    [FAMILY.ipv4]: addresses
      .filter(({ family }) => family === 'IPv4')
      .map((address) => ({ addr: address.address, netmask: ipv4Netmask(prefix(address)) })),
    [FAMILY.ipv6]: addresses
      .filter(({ family }) => family === 'IPv6')
      .map((address) => ({
        addr: address.scopeid ? `${address.address}%${device}` : address.address,
        netmask: ipv6Netmask(prefix(address)),
      })),
  };
}
