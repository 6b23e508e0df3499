import { seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, isUnknown, unknown } from '../group.ts';
import { factsOf, namesIn, textOf } from '../lenient.ts';

export const vpn: Fact = { name: 'vpn', look: lookAtTunnels };

type Answer = boolean | ReturnType<typeof unknown>;

async function lookAtTunnels(host: HostAccess): Promise<unknown> {
  const devices = await namesIn(host, '/sys/class/net');
  if (devices === undefined) return unknown('cannot list network devices');
  const kinds = {
    ...(await kindsOfDevices(host, devices)),
    ipsec: await hasAssociations(host),
    networkmanager: await hasActiveVpn(host),
  };
  const found = Object.values(kinds);
  const up = found.includes(true) ? true : (found.find(isUnknown) ?? false);
  return { up, ...kinds };
}

async function kindsOfDevices(host: HostAccess, devices: readonly string[]) {
  const kinds = await Promise.all(devices.map((device) => kindOfDevice(host, `/sys/class/net/${device}`)));
  return { tun: kinds.includes('tun'), wireguard: kinds.includes('wireguard') };
}

/** net/if.h: IFF_UP, and linux/if_tun.h: IFF_TUN. A tap carries frames of virtual machines, a tun packets: those of VPN clients. */
const UP = 0x1;
const TUN = 0x1;

/** @returns undefined for a device that is no tunnel, or one that is down */
async function kindOfDevice(host: HostAccess, folder: string): Promise<'tun' | 'wireguard' | undefined> {
  const flags = Number((await textOf(host, `${folder}/flags`))?.trim() ?? 0);
  if ((flags & UP) === 0) return undefined;
  if (/^DEVTYPE=wireguard$/m.test((await textOf(host, `${folder}/uevent`)) ?? '')) return 'wireguard';
  const tun = await textOf(host, `${folder}/tun_flags`);
  if (tun === undefined || (Number(tun.trim()) & TUN) === 0) return undefined;
  // One that is kept for a program which does not run has no carrier.
  return (await textOf(host, `${folder}/carrier`))?.trim() === '1' ? 'tun' : undefined;
}

/** Of strongSwan and libreswan; distributions disagree about the folder. */
const KEY_EXCHANGERS = [
  '/usr/lib/ipsec',
  '/usr/libexec/ipsec',
  '/usr/libexec/strongswan',
  '/usr/lib/strongswan',
  '/usr/sbin',
].flatMap((folder) => ['charon', 'charon-nm', 'charon-systemd', 'pluto'].map((program) => `${folder}/${program}`));

/** `ip xfrm state` would print keys; `count` prints no more than how many there are. */
async function hasAssociations(host: HostAccess): Promise<Answer> {
  const installed = await Promise.all(KEY_EXCHANGERS.map((path) => factsOf(host, path)));
  if (installed.every((facts) => facts === undefined)) return false;
  const ip = await host.find('ip');
  if (ip === undefined) return unknown('ip is not installed');
  const { code, stdout } = await host.run(ip, ['xfrm', 'state', 'count'], { timeout: seconds(5) });
  const count = /\bSAD count (\d+)/.exec(stdout)?.[1];
  return code === 0 && count !== undefined ? count !== '0' : unknown('the kernel does not show its IPsec associations');
}

/** Kinds whose device does not tell (L2TP and PPTP end in a modem's), where NetworkManager has them. The names of connections are not asked for. */
async function hasActiveVpn(host: HostAccess): Promise<Answer> {
  const nmcli = (await factsOf(host, '/run/NetworkManager')) && (await host.find('nmcli'));
  if (nmcli === undefined) return false;
  const { code, stdout } = await host.run(nmcli, ['-t', '-f', 'TYPE,STATE', 'connection', 'show', '--active'], {
    timeout: seconds(10),
  });
  return code === 0 ? /^vpn:activated$/m.test(stdout) : unknown('NetworkManager does not answer');
}
