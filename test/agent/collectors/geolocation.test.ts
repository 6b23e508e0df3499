import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { collectorTools } from '../../../src/agent/collector-tools.ts';
import { isSamePlace } from '../../../src/agent/collectors/geolocation/kept.ts';
import { parseLocation } from '../../../src/agent/collectors/geolocation/parse-location.ts';
import { mergeScans, parseScan } from '../../../src/agent/collectors/geolocation/parse-scan.ts';
import { geolocation } from '../../../src/agent/collectors/geolocation.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { realClock } from '../../support/world.ts';
import { type WebService, webService } from '../support/web-service.ts';
import { hostInFolder, memory, plant } from './host-in-folder.ts';

const BERLIN = { location: { lat: 52.5, lng: 13.4 }, accuracy: 30 };
const KEY = 's3cret-key_1';
const point = (last: number, signal = 80) =>
  `00\\:11\\:22\\:33\\:44\\:${String(last).padStart(2, '0')}:${signal}:6:Net\\: ${last}`;
const lines = (...numbers: number[]) => numbers.map((number) => point(number)).join('\n');

const WITHOUT = { collect_interval: 600_000, submit_interval: 60_000, collectors: { disabled: [], enabled: [] } };

test('a line of nmcli is an access point, with dBm; names that opt out and made-up addresses are left out', (t) => {
  const output = [
    'AA\\:BB\\:CC\\:DD\\:EE\\:0F:100:11:made up',
    'A8\\:BB\\:CC\\:DD\\:EE\\:0F:100:11:Home: net',
    'A8\\:BB\\:CC\\:DD\\:EE\\:10:0:149:',
    'A8\\:BB\\:CC\\:DD\\:EE\\:11:50:1:Private_nomap',
    'A8:BB:CC:DD:EE:12:50:1:x',
    'noise',
    '\0\ufffd',
  ].join('\n');
  t.deepEqual(parseScan(output), [
    { macAddress: 'a8:bb:cc:dd:ee:0f', signalStrength: -50, channel: 11 },
    { macAddress: 'a8:bb:cc:dd:ee:10', signalStrength: -100, channel: 149 },
  ]);
});

test('an access point of several scans is there once, at its strongest, in the order of addresses', (t) => {
  const scans = [parseScan(`${point(2, 40)}\n${point(1, 20)}`), parseScan(point(2, 60)), parseScan('')];
  t.deepEqual(
    mergeScans(scans).map(({ macAddress, signalStrength }) => [macAddress.slice(-2), signalStrength]),
    [
      ['01', -90],
      ['02', -70],
    ],
  );
});

for (const [text, expected] of [
  [JSON.stringify(BERLIN), BERLIN],
  [
    '{"location": {"lat": 0, "lng": -180, "alt": 3}, "accuracy": 0, "more": 1}',
    { location: { lat: 0, lng: -180 }, accuracy: 0 },
  ],
  ['{"location": {"lat": 91, "lng": 0}, "accuracy": 1}', undefined],
  ['{"location": {"lat": "52", "lng": 0}, "accuracy": 1}', undefined],
  ['{"location": {"lat": 52, "lng": 0}}', undefined],
  ['{"error": {"code": 404}}', undefined],
  ['[]', undefined],
  ['', undefined],
] as const) {
  test(`the answer ${text.slice(0, 50) || '""'} is ${expected === undefined ? 'no place' : 'a place'}`, (t) => {
    t.deepEqual(parseLocation(text), expected);
  });
}

const place = (accessPoints: string[], public_ipv4 = '192.0.2.1') => ({
  addresses: { public_ipv4, public_ipv6: 'unknown' },
  accessPoints,
});
const SAME: Record<string, [ReturnType<typeof place>, ReturnType<typeof place>, boolean]> = {
  'all access points again': [place(['a', 'b', 'c', 'd']), place(['a', 'b', 'c', 'd']), true],
  'three of four': [place(['a', 'b', 'c', 'd']), place(['a', 'b', 'c', 'x']), true],
  'two of four': [place(['a', 'b', 'c', 'd']), place(['a', 'b', 'x', 'y']), false],
  'a scan that saw less of the same': [place(['a', 'b', 'c', 'd']), place(['a']), true],
  'another public address': [place(['a']), place(['a'], '192.0.2.2'), false],
  'no access points, the same address': [place([]), place([]), true],
  'no access points, no address': [place([], 'unknown'), place([], 'unknown'), false],
  'access points before, none now': [place(['a']), place([]), false],
};
for (const [title, [before, now, same]] of Object.entries(SAME)) {
  test(`${title}: ${same ? 'the same place' : 'another place'}`, (t) => {
    t.is(isSamePlace(before, now), same);
  });
}

/** A machine that sees these access points; each scan takes its lines from the next file, and then again from the last. */
async function machineThatSees(t: ExecutionContext, scans: string[]) {
  const folder = await scratchFolder(t);
  const see = async (texts: string[]) => {
    for (const [index, text] of texts.entries()) await writeFile(join(folder, `scan.${index}`), `${text}\n`);
  };
  await plant(folder, {
    '/usr/bin/nmcli': `#!/bin/sh
case "$*" in *'device wifi list --rescan yes') ;; *) exit 2 ;; esac
n=$(cat '${folder}/count' 2>/dev/null || echo 0)
echo $((n + 1)) >'${folder}/count'
cat "${folder}/scan.$n" 2>/dev/null || cat '${folder}/scan.0'
`,
  });
  await see(scans);
  return { host: hostInFolder(t, folder), see, folder };
}

async function geoService(t: ExecutionContext, answer: unknown = BERLIN): Promise<WebService> {
  const service = await webService(t, { tls: true });
  service.answer = (_, response) => response.end(JSON.stringify(answer));
  return service;
}

const settingsFor = ({ origin, ca }: WebService) => ({ geolocation: { url: `${origin}/v1/geolocate`, key: '/x', ca } });
const withKey = (tools: ReturnType<typeof memory>) => ({ ...tools, secret: async () => KEY });

test('five scans, merged, go to the service with the key, and its answer is the report', async (t) => {
  const service = await geoService(t);
  const { host } = await machineThatSees(t, [lines(1), lines(2), lines(1, 3), '', lines(4)]);
  t.deepEqual(await geolocation.collect(host, withKey(memory(settingsFor(service)))), BERLIN);
  const [asked] = service.asked;
  t.is(asked?.url, `/v1/geolocate?key=${KEY}`);
  t.deepEqual(
    JSON.parse(asked?.body ?? '').wifiAccessPoints.map(({ macAddress }: { macAddress: string }) =>
      macAddress.slice(-2),
    ),
    ['01', '02', '03', '04'],
  );
});

test('the last answer is kept while the place is the same, and asked for anew elsewhere', async (t) => {
  const service = await geoService(t);
  const { host, see } = await machineThatSees(t, [lines(1, 2, 3, 4)]);
  const tools = withKey(memory(settingsFor(service)));
  await geolocation.collect(host, tools);
  await see([lines(1, 2, 3, 9)]);
  service.answer = (_, response) => response.end(JSON.stringify({ ...BERLIN, accuracy: 31 }));
  t.deepEqual(await geolocation.collect(host, tools), BERLIN);
  t.is(service.asked.length, 1);
  await see([lines(1, 7, 8, 9)]);
  t.deepEqual(await geolocation.collect(host, tools), { ...BERLIN, accuracy: 31 });
  t.is(service.asked.length, 2);
});

test('elsewhere, where the service does not answer, the old place would be a lie: unknown', async (t) => {
  const service = await geoService(t);
  const { host, see } = await machineThatSees(t, [lines(1, 2)]);
  const tools = withKey(memory(settingsFor(service)));
  await geolocation.collect(host, tools);
  await see([lines(8, 9)]);
  service.answer = (_, response) => response.writeHead(403).end(JSON.stringify(BERLIN));
  t.is(await geolocation.collect(host, tools), 'unknown');
  service.answer = (_, response) => response.end('{"error": 1}');
  t.is(await geolocation.collect(host, tools), 'unknown');
});

test('another public address is another place', async (t) => {
  const service = await geoService(t);
  const { host } = await machineThatSees(t, [lines(1, 2)]);
  let address = '192.0.2.1';
  const addresses = await webService(t);
  addresses.answer = (_, response) => response.end(address);
  const tools = withKey(memory({ ...settingsFor(service), ip_addresses: { url: addresses.origin } }));
  await geolocation.collect(host, tools);
  tools.kept.delete('answer');
  address = '192.0.2.2';
  await geolocation.collect(host, tools);
  t.is(service.asked.length, 2);
});

test('where it is not configured nobody is asked, and it does not run', async (t) => {
  const { host } = await machineThatSees(t, [lines(1, 2)]);
  t.is(await geolocation.collect({ ...host, ask: () => t.fail('asked') as never }, memory()), 'unknown');
  t.false(geolocation.optIn({ disabled: [], enabled: [] }));
});

test('without a key it is a failure that says what to do; the key is in no message', async (t) => {
  const service = await geoService(t);
  const { host } = await machineThatSees(t, [lines(1)]);
  const error = await t.throwsAsync(geolocation.collect(host, memory(settingsFor(service))));
  t.regex(error?.message ?? '', /collectors\.geolocation\.key/);
  t.is(service.asked.length, 0);
});

test('the key comes out of its file, which others may not read, or out of the credential', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'key');
  await writeFile(file, `${KEY}\n`);
  const tools = (credentials?: string) =>
    collectorTools({ folder, clock: realClock, settings: WITHOUT, keeps: false, credentials });
  await chmod(file, 0o644);
  await t.throwsAsync(tools().secret('geolocation-key', file), { message: /others may read it/ });
  await chmod(file, 0o600);
  t.is(await tools().secret('geolocation-key', file), KEY);
  t.is(await tools().secret('geolocation-key', undefined), undefined);
  const credentials = join(folder, 'credentials');
  await plant(credentials, { '/geolocation-key': 'from-systemd\n' });
  t.is(await tools(credentials).secret('geolocation-key', file), 'from-systemd');
});
