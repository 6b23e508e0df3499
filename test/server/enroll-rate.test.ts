import test from 'ava';
import { seconds } from '../../src/core/duration.ts';
import { startTestServer } from '../support/server.ts';
import { temporaryStore } from '../support/stores.ts';
import { enrolledClient, makeToken, v2Client } from '../support/v2-client.ts';
import { standingClock } from '../support/world.ts';

const BAD = 'A'.repeat(32);
const from = (address: string) => ({ tweaks: { headers: { 'x-forwarded-for': address } } });

test('an address that asks too often gets 429 before anything is looked at, and is let in again later', async (t) => {
  const clock = standingClock(new Date());
  const real = await temporaryStore(t, 'embedded', { clock });
  let looks = 0;
  const find = (hash: string) => {
    looks++;
    return real.tokens.find(hash);
  };
  const store = { ...real, tokens: { ...real.tokens, find } };
  const server = await startTestServer(t, { store, clock, settings: { limits: { enroll_rate: 3 } } });
  const client = v2Client({ ...server, hostname: 'h' });
  for (let attempt = 0; attempt < 3; attempt++) t.is((await client.enroll(BAD)).json['error'], 'token-refused');
  t.is(looks, 3);
  const good = await makeToken(real);
  for (let attempt = 0; attempt < 5; attempt++) {
    const limited = await client.enroll(good);
    t.deepEqual([limited.status, limited.json['error'], limited.verified], [429, 'too-many-requests', true]);
    t.is(limited.headers['retry-after'], '20');
  }
  const unsigned = await client.enroll(good, { tweaks: { unsigned: true, contentType: 'text/plain' } });
  t.is(unsigned.status, 429);
  t.is(looks, 3);
  t.like(server.events('enroll.limited'), [{ remote: '127.0.0.1', rate: 3 }]);
  t.is(server.events('enroll.limited').length, 1);
  t.is(server.events('request.refused').length, 3);
  clock.set(new Date(clock.now().getTime() + seconds(20)));
  t.is((await client.enroll(good)).json['status'], 'approved');
});

test('who is limited keeps nobody else out, and may still report', async (t) => {
  const server = await startTestServer(t, {
    settings: { limits: { enroll_rate: 1 }, trusted_proxies: ['127.0.0.1'] },
  });
  const host = await enrolledClient(server, 'known');
  const client = v2Client({ ...server, hostname: 'h' });
  t.is((await client.enroll(BAD, from('2001:db8::1'))).status, 403);
  t.is((await client.enroll(BAD, from('2001:db8::2'))).status, 429);
  t.is((await client.enroll(BAD)).status, 429, 'the proxy itself has enrolled a host before');
  t.is(
    (await host.submit({ 'plugins.x': 1 }, { tweaks: { headers: { 'x-forwarded-for': '2001:db8::1' } } })).status,
    200,
  );
  t.is((await client.enroll(await makeToken(server.store), from('2001:db8:0:1::1'))).status, 200);
});
