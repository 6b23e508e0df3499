import { seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { type AccessPoint, mergeScans, parseScan } from './parse-scan.ts';

/** One scan misses some of what is near. */
const SCANS = 5;
const FIELDS = ['-t', '-e', 'yes', '-f', 'BSSID,SIGNAL,CHAN,SSID', 'device', 'wifi', 'list', '--rescan'];

/** The access points around; none without NetworkManager or a wireless card. */
export async function scanAccessPoints(host: HostAccess): Promise<AccessPoint[]> {
  const nmcli = await host.find('nmcli');
  if (nmcli === undefined) return [];
  const scans: AccessPoint[][] = [];
  for (let scan = 0; scan < SCANS; scan += 1) {
    // NetworkManager refuses to scan twice in a few seconds: what it saw last is as good then.
    const looked = await list(host, nmcli, 'yes');
    scans.push(looked ?? (await list(host, nmcli, 'no')) ?? []);
    // Without a card, or with one that sees nothing, it would be the same five times.
    if (scan === 0 && scans[0]?.length === 0) return [];
  }
  return mergeScans(scans);
}

async function list(host: HostAccess, nmcli: string, rescan: 'yes' | 'no'): Promise<AccessPoint[] | undefined> {
  const { code, stdout } = await host.run(nmcli, [...FIELDS, rescan], { timeout: seconds(18) });
  return code === 0 ? parseScan(stdout) : undefined;
}
