import { basename } from 'node:path';
import type { HostAccess } from '../../collector.ts';
import { factsOf, linkAt, namesIn, textOf } from '../lenient.ts';
import type { Family } from './model.ts';

/** Families that the kernel speaks: a firewall must cover both, unless IPv6 is switched off. */
export async function familiesInUse(host: HostAccess): Promise<Family[]> {
  const disabled = await textOf(host, '/proc/sys/net/ipv6/conf/all/disable_ipv6');
  return disabled === undefined || disabled.trim() === '1' ? ['ip'] : ['ip', 'ip6'];
}

/**
 * Devices that packets from outside come in by: the hardware (through its bridge or bond, where it has one), and what a default route
 * leads to, such as a container's veth. Not tunnels and taps: what comes through them is let in on purpose.
 */
export async function outsideDevices(host: HostAccess): Promise<string[]> {
  const names = (await namesIn(host, '/sys/class/net')) ?? [];
  const routed = await defaultRouteDevices(host);
  const outside = new Set<string>();
  for (const name of names) {
    const folder = `/sys/class/net/${name}`;
    const isHardware = (await factsOf(host, `${folder}/device`)) !== undefined;
    if (!isHardware && !(routed.has(name) && (await isEthernetLike(host, folder)))) continue;
    const master = await linkAt(host, `${folder}/master`);
    outside.add(master === undefined ? name : basename(master));
  }
  return [...outside].sort();
}

async function defaultRouteDevices(host: HostAccess): Promise<Set<string>> {
  const lines = (text: string | undefined) => (text ?? '').split('\n').map((line) => line.trim().split(/\s+/));
  const v4 = lines(await textOf(host, '/proc/net/route'));
  const v6 = lines(await textOf(host, '/proc/net/ipv6_route'));
  return new Set([
    ...v4
      .filter(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')
      .map(([device]) => device ?? ''),
    ...v6
      .filter(([destination, length]) => /^0{32}$/.test(destination ?? '') && length === '00')
      .map((line) => line.at(-1) ?? ''),
  ]);
}

/** ARPHRD_ETHER or ARPHRD_PPP of if_arp.h, but no tap device. */
async function isEthernetLike(host: HostAccess, folder: string): Promise<boolean> {
  const type = (await textOf(host, `${folder}/type`))?.trim();
  return (type === '1' || type === '512') && (await factsOf(host, `${folder}/tun_flags`)) === undefined;
}
