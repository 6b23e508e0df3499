import test from 'ava';
import { startTestServer, type TestServer } from '../support/server.ts';
import { makeToken, v2Client } from '../support/v2-client.ts';

let count = 0;

/** What the server takes for the address of a machine that enrols with this header. */
async function addressSeen(server: TestServer, forwarded: string | undefined): Promise<string | undefined> {
  const client = v2Client({ ...server, hostname: `h-${count++}` });
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  await client.enroll(await makeToken(server.store), { tweaks: { headers } });
  return (await server.store.enrollments.find(client.key.id))?.address;
}

test('who is no trusted proxy says nothing about where a request came from', async (t) => {
  for (const trusted_proxies of [[], ['192.0.2.0/24']]) {
    const server = await startTestServer(t, { settings: { trusted_proxies } });
    t.is(await addressSeen(server, '198.51.100.1'), '127.0.0.1');
  }
});

test('what a trusted proxy says is believed back to the first who is not trusted', async (t) => {
  const server = await startTestServer(t, {
    settings: { trusted_proxies: ['127.0.0.0/8', '10.0.0.1', '2001:db8::/64'] },
  });
  const seen: [header: string | undefined, address: string][] = [
    [undefined, '127.0.0.1'],
    ['', '127.0.0.1'],
    ['198.51.100.1', '198.51.100.1'],
    ['203.0.113.9, 198.51.100.1', '198.51.100.1'],
    ['203.0.113.9,198.51.100.1,10.0.0.1', '198.51.100.1'],
    ['198.51.100.1, 10.0.0.1, 2001:db8::7', '198.51.100.1'],
    ['10.0.0.1', '10.0.0.1'],
    ['198.51.100.1:4711', '198.51.100.1'],
    ['[2001:db8:1::9]:4711', '2001:db8:1::9'],
    ['::ffff:198.51.100.1', '198.51.100.1'],
    ['198.51.100.1, ::ffff:10.0.0.1', '198.51.100.1'],
    ['198.51.100.1, unknown, 10.0.0.1', '10.0.0.1'],
    ['198.51.100.1, <script>', '127.0.0.1'],
  ];
  for (const [header, address] of seen) t.is(await addressSeen(server, header), address, String(header));
});

test('a proxy that comes by IPv4 to a port of IPv6 is known too, and the log says whom it stands for', async (t) => {
  const server = await startTestServer(t, {
    settings: { trusted_proxies: ['127.0.0.1'], ports: [{ port: 0, host: '::', tls: false }] },
  });
  t.is(await addressSeen(server, '198.51.100.1'), '198.51.100.1');
  const client = v2Client({ ...server, hostname: 'h' });
  await client.enroll('A'.repeat(32), { tweaks: { headers: { 'x-forwarded-for': '198.51.100.2' } } });
  t.like(server.events('request.refused'), [{ remote: '198.51.100.2', code: 'token-refused' }]);
  t.like(server.events('enroll.approved'), [{ remote: '198.51.100.1' }]);
});

test('the list is read again with the settings', async (t) => {
  const server = await startTestServer(t);
  t.is(await addressSeen(server, '198.51.100.1'), '127.0.0.1');
  t.true(await server.reload({ trusted_proxies: ['127.0.0.1'] }));
  t.is(await addressSeen(server, '198.51.100.1'), '198.51.100.1');
});
