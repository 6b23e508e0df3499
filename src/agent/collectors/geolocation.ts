import { minutes, seconds } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import type { AgentSettings } from '../../settings/agent-settings.ts';
import { type Collector, type CollectorTools, type HostAccess, UNKNOWN } from '../collector.ts';
import { isSamePlace, type Place, readKept } from './geolocation/kept.ts';
import { locationOf, parseLocation } from './geolocation/parse-location.ts';
import { scanAccessPoints } from './geolocation/scan.ts';
import { publicAddresses } from './ip-addresses.ts';

type Asked = NonNullable<AgentSettings['collectors']['geolocation']>;

export const geolocation = {
  name: 'geolocation',
  describe: 'where this machine is, by the Wi-Fi access points around it; off unless the settings say whom to ask',
  timeout: minutes(4),
  optIn: (settings) => settings.geolocation !== undefined,
  collect: tellWhere,
} satisfies Collector;

const KEPT = 'place';
const CREDENTIAL = 'geolocation-key';

/** The original's shape: the answer of Google's geolocation API, or of one that speaks like it. */
async function tellWhere(host: HostAccess, tools: CollectorTools): Promise<unknown> {
  const left = await tools.left('geolocation');
  if (left === undefined) return locate(host, tools);
  if ('reason' in left) throw new Error(left.reason);
  if (left.value === UNKNOWN) return UNKNOWN;
  const found = locationOf(left.value);
  if (found === undefined) throw new Error('what was left of the answer is no place');
  return found;
}

export async function locate(host: HostAccess, tools: CollectorTools): Promise<unknown> {
  const asked = tools.settings.geolocation;
  if (asked === undefined) return UNKNOWN;
  const key = await tools.secret(CREDENTIAL, asked.key);
  if (key === undefined || key === '')
    throw new Error(
      `cannot ask without a key: name its file with collectors.geolocation.key, or pass the credential ${CREDENTIAL}`,
    );
  const accessPoints = await scanAccessPoints(host);
  const place = {
    addresses: await publicAddresses(host, tools),
    accessPoints: accessPoints.map(({ macAddress }) => macAddress).sort(),
  };
  const kept = readKept((await tools.recall(KEPT))?.value);
  if (kept !== undefined && isSamePlace(kept.place, place)) return kept.answer;
  return (await askWhere(host, asked, key, { accessPoints, place }, tools)) ?? UNKNOWN;
}

async function askWhere(
  host: HostAccess,
  { url, ca }: Asked,
  key: string,
  { accessPoints, place }: { accessPoints: Awaited<ReturnType<typeof scanAccessPoints>>; place: Place },
  tools: CollectorTools,
) {
  const withKey = new URL(url);
  withKey.searchParams.set('key', key);
  const question = { url: withKey, body: { wifiAccessPoints: accessPoints }, timeout: seconds(20) };
  try {
    const { status, text } = await host.ask({ ...question, ...(ca === undefined ? {} : { ca }) });
    const answer = status === 200 ? parseLocation(text) : undefined;
    if (answer !== undefined) await tools.keep(KEPT, { place, answer });
    return answer;
  } catch (error) {
    if (messageOf(error).includes(key)) throw new Error('cannot ask for the location');
    return undefined;
  }
}
