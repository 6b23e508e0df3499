/** As geolocation services take it. */
export interface AccessPoint {
  macAddress: string;
  /** dBm */
  signalStrength: number;
  channel: number;
}

const LINE = /^((?:[0-9A-F]{2}\\:){5}[0-9A-F]{2}):(\d{1,3}):(\d{1,3}):(.*)$/i;
/** Whoever puts that behind the name of a network wants it in no such service (Google's and Mozilla's rule). */
const OPTED_OUT = /_nomap$/;
/** The bit of an address that its card made up: telephones that share their connection move (IEEE 802, 8.2.2). */
const MADE_UP = 0x02;

/** `nmcli -t -f BSSID,SIGNAL,CHAN,SSID`: colons inside values come with a backslash. NetworkManager's per cent are dBm, halved and shifted. */
export function parseScan(output: string): AccessPoint[] {
  return output.split('\n').flatMap((line) => {
    const [, bssid, percent, channel, ssid = ''] = LINE.exec(line.trimEnd()) ?? [];
    if (bssid === undefined || percent === undefined || channel === undefined || OPTED_OUT.test(ssid)) return [];
    const macAddress = bssid.replaceAll('\\', '').toLowerCase();
    if ((Number.parseInt(macAddress.slice(0, 2), 16) & MADE_UP) !== 0) return [];
    return [{ macAddress, signalStrength: Math.round(Number(percent) / 2 - 100), channel: Number(channel) }];
  });
}

/** Each access point once, as strong as it was at its best; by address. */
export function mergeScans(scans: readonly (readonly AccessPoint[])[]): AccessPoint[] {
  const best = new Map<string, AccessPoint>();
  for (const point of scans.flat()) {
    const before = best.get(point.macAddress);
    if (before === undefined || before.signalStrength < point.signalStrength) best.set(point.macAddress, point);
  }
  return [...best.values()].sort((a, b) => (a.macAddress < b.macAddress ? -1 : 1));
}
