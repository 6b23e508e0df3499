import test, { type ExecutionContext } from 'ava';
import type { HostAccess } from '../../../src/agent/collector.ts';
import { ipAddresses } from '../../../src/agent/collectors/ip-addresses.ts';
import { webService } from '../support/web-service.ts';
import { memory, thisHost } from './host-in-folder.ts';

const UNKNOWN = { public_ipv4: 'unknown', public_ipv6: 'unknown' };
const UNREACHABLE = 'http://127.0.0.1:9/';

/** This machine; the question for IPv6 goes over IPv4 too, which is all that a test machine is sure to have. */
function host(t: ExecutionContext, more: Partial<HostAccess> = {}): HostAccess {
  const real = thisHost(t);
  const ask: HostAccess['ask'] = (question) => {
    const url = new URL(question.url);
    url.searchParams.set('family', String(question.family));
    return real.ask({ ...question, url, family: 4 });
  };
  return { ...real, ask, networkInterfaces: () => ({}), ...more };
}

test('unless the settings name a server nobody is asked', async (t) => {
  const ask = () => t.fail('asked') as never;
  t.deepEqual(await ipAddresses.collect(host(t, { ask }), memory()), UNKNOWN);
});

test('the addresses that the server sees are told, one for each family', async (t) => {
  const service = await webService(t, { tls: true });
  service.answer = ({ url }, response) => response.end(url.endsWith('6') ? '2001:DB8::7\n' : '192.0.2.7\n');
  const tools = memory({ ip_addresses: { url: `${service.origin}/ip`, ca: service.ca } });
  t.deepEqual(await ipAddresses.collect(host(t), tools), { public_ipv4: '192.0.2.7', public_ipv6: '2001:db8::7' });
});

for (const [what, text, expected] of [
  ['JSON with ip', '{"ip": "192.0.2.7"}', '192.0.2.7'],
  ['JSON with address', '{"address": "192.0.2.7", "country": "x"}', '192.0.2.7'],
  ['IPv4 as a server of both families sees it', '::ffff:192.0.2.7', '192.0.2.7'],
  ['the other family', '2001:db8::1', 'unknown'],
  ['a page', '<html>192.0.2.7</html>', 'unknown'],
  ['half an address', '192.0.2', 'unknown'],
  ['nothing', '', 'unknown'],
  ['JSON without it', '{"ip": 7}', 'unknown'],
  ['two', '192.0.2.7 192.0.2.8', 'unknown'],
  ['a flood', '1'.repeat(100_000), 'unknown'],
] as const) {
  test(`an answer that is ${what}: ${expected}`, async (t) => {
    const service = await webService(t);
    service.answer = (_, response) => response.end(text);
    const tools = memory({ ip_addresses: { url: service.origin } });
    t.like(await ipAddresses.collect(host(t), tools), { public_ipv4: expected });
  });
}

test('a server that refuses, redirects or is not there tells nothing, and nothing is kept', async (t) => {
  const service = await webService(t);
  const tools = memory({ ip_addresses: { url: service.origin } });
  for (const status of [302, 403, 500]) {
    service.answer = (_, response) => response.writeHead(status).end('192.0.2.7');
    t.deepEqual(await ipAddresses.collect(host(t), tools), UNKNOWN);
  }
  t.deepEqual(await ipAddresses.collect(host(t), memory({ ip_addresses: { url: UNREACHABLE } })), UNKNOWN);
  t.is(tools.kept.size, 0);
});

test('the server is asked once an hour, and at once when the own addresses change', async (t) => {
  const service = await webService(t);
  service.answer = ({ url }, response) => response.end(url.endsWith('6') ? '' : '192.0.2.7');
  const tools = memory({ ip_addresses: { url: service.origin } });
  const at = (ahead: number, address: string) =>
    host(t, {
      now: () => new Date(Date.now() + ahead),
      networkInterfaces: () => ({
        eth0: [{ address, netmask: '255.0.0.0', family: 'IPv4', mac: '', internal: false, cidr: null }],
      }),
    });
  const first = await ipAddresses.collect(at(0, '10.0.0.1'), tools);
  t.deepEqual(await ipAddresses.collect(at(3_000_000, '10.0.0.1'), tools), first);
  t.is(service.asked.length, 2);
  await ipAddresses.collect(at(0, '10.0.0.2'), tools);
  t.is(service.asked.length, 4);
  await ipAddresses.collect(at(7_200_000, '10.0.0.2'), tools);
  t.is(service.asked.length, 6);
});
