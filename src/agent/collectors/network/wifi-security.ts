import { seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf, namesIn, textOf } from '../lenient.ts';
import {
  type Link,
  parseIwdNetwork,
  parseKeyfile,
  parseNmcli,
  parseSupplicant,
  parseWpaStatus,
  type SavedNetwork,
} from './parse-wifi.ts';

/** The names of networks say where somebody lives and works: they, and the keys beside them, go no further than these files. */
export const wifiSecurity: Fact = { name: 'wifi_security', look: lookAtWifi };

const KEYFILES = [
  '/etc/NetworkManager/system-connections',
  // netplan's, among others
  '/run/NetworkManager/system-connections',
  '/usr/lib/NetworkManager/system-connections',
];
const IWD = '/var/lib/iwd';
const SUPPLICANT = '/etc/wpa_supplicant';
const WEAKEST_FIRST: readonly Link[] = [
  'open',
  'wep',
  'other',
  'wpa1',
  'wpa1_eap',
  'owe',
  'wpa2',
  'wpa2_eap',
  'wpa3',
  'wpa3_eap',
  'none',
];

async function lookAtWifi(host: HostAccess): Promise<unknown> {
  const devices = await wirelessDevices(host);
  const saved = await savedNetworks(host);
  if (devices.length === 0 && Array.isArray(saved) && saved.length === 0) return undefined;
  return {
    current: devices.length === 0 ? 'none' : await currentLink(host, devices),
    ...(Array.isArray(saved) ? summaryOf(saved) : { saved, joins_open: saved }),
  };
}

async function wirelessDevices(host: HostAccess): Promise<string[]> {
  const names = (await namesIn(host, '/sys/class/net')) ?? [];
  const found = await Promise.all(
    names.map(async (name) => (await factsOf(host, `/sys/class/net/${name}/phy80211`)) !== undefined),
  );
  return names.filter((_, index) => found[index]);
}

/** Of several cards the one in the weakest network. */
async function currentLink(host: HostAccess, devices: readonly string[]): Promise<unknown> {
  const links = (await linksByNmcli(host)) ?? (await linksBySupplicant(host, devices));
  if (links === undefined) return unknown('neither NetworkManager nor wpa_supplicant tells of the link');
  return WEAKEST_FIRST.find((kind) => links.includes(kind)) ?? 'none';
}

/** NetworkManager that does not manage the card lists nothing: then it does not know. */
async function linksByNmcli(host: HostAccess): Promise<Link[] | undefined> {
  const nmcli = (await factsOf(host, '/run/NetworkManager')) && (await host.find('nmcli'));
  if (nmcli === undefined) return undefined;
  const limit = { timeout: seconds(10) };
  const { code, stdout } = await host.run(nmcli, ['-t', '-f', 'TYPE,STATE', 'device', 'status'], limit);
  const states = stdout.split('\n').flatMap((line) => /^wifi:(.*)$/.exec(line)?.[1] ?? []);
  if (code !== 0 || states.length === 0 || states.every((state) => state === 'unmanaged')) return undefined;
  // Without a connection there is nothing to look for, and the list of what is near is long.
  if (!states.some((state) => state.startsWith('connected'))) return [];
  const list = ['-t', '-f', 'IN-USE,SECURITY', 'device', 'wifi', 'list', '--rescan', 'no'];
  const listed = await host.run(nmcli, list, limit);
  return listed.code === 0 ? parseNmcli(listed.stdout) : undefined;
}

async function linksBySupplicant(host: HostAccess, devices: readonly string[]): Promise<Link[] | undefined> {
  const cli = await host.find('wpa_cli');
  if (cli === undefined) return undefined;
  const links = await Promise.all(
    devices.map(async (device) => {
      const { code, stdout } = await host.run(cli, ['-i', device, 'status'], { timeout: seconds(5) });
      return code === 0 ? parseWpaStatus(stdout) : undefined;
    }),
  );
  const known = links.flatMap((link) => link ?? []);
  return known.length === 0 ? undefined : known;
}

/** @returns why not, where files are root's and we are not */
async function savedNetworks(host: HostAccess): Promise<SavedNetwork[] | ReturnType<typeof unknown>> {
  const folders = [...KEYFILES, IWD, SUPPLICANT];
  const networks: SavedNetwork[] = [];
  try {
    for (const folder of folders) {
      for (const name of (await host.list(folder)) ?? []) {
        // A leading dot or a closing tilde: not NetworkManager's either.
        if (/^\.|~$/.test(name)) continue;
        networks.push(...(await networksIn(host, folder, name)));
      }
    }
  } catch {
    return unknown('the files of saved networks may not be read');
  }
  return networks;
}

async function networksIn(host: HostAccess, folder: string, name: string): Promise<SavedNetwork[]> {
  if (folder === SUPPLICANT) {
    return name.endsWith('.conf') ? parseSupplicant((await host.readText(`${folder}/${name}`)) ?? '') : [];
  }
  if (folder === IWD && !/\.(?:open|psk|8021x)$/.test(name)) return [];
  const text =
    folder === IWD ? ((await textOf(host, `${folder}/${name}`)) ?? '') : await host.readText(`${folder}/${name}`);
  const network = folder === IWD ? parseIwdNetwork(name, text ?? '') : parseKeyfile(text ?? '');
  return network === undefined ? [] : [network];
}

function summaryOf(networks: readonly SavedNetwork[]) {
  const kinds = [...new Set(networks.map(({ kind }) => kind))].sort();
  return {
    saved: Object.fromEntries(kinds.map((each) => [each, networks.filter(({ kind }) => kind === each).length])),
    joins_open: networks.filter(({ kind, joins }) => joins && (kind === 'open' || kind === 'wep')).length,
  };
}
