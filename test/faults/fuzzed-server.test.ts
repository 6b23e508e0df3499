import { Agent } from 'node:http';
import fc from 'fast-check';
import { FUZZ } from '../support/fuzz.ts';
import { makeToken, type V2Client, v2Client } from '../support/v2-client.ts';
import { startServer } from './support/built-server.ts';
import { type OddRequest, oddRequest } from './support/odd-requests.ts';
import { forEachPlace } from './support/places.ts';
import { sendOddRequest } from './support/send-odd-request.ts';
import { installSite } from './support/site.ts';

/** On MongoDB fewer: what is tried lies before the store, most of it. */
const SHARE = { embedded: 1, 'mongo replica set': 0.2, 'mongo standalone': 0 };
const LANES = 6;
const A_LANE = 10;

forEachPlace(['embedded', 'mongo replica set'], (kind, test, prepare) => {
  test(`${kind}: whatever requests come, the server answers each, never by a fault of its own`, async (t) => {
    const place = await prepare(t);
    // who promises more bytes than come is waited for: not for long here
    const limits = { enroll_rate: 60_000, headers_timeout: '1s', request_timeout: '1s' };
    const site = await installSite(t, place.settings, { limits });
    const server = await startServer(t, site);
    const store = await place.open();
    const secret = await makeToken(store, { uses: LANES });
    const clients = await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        t.teardown(() => agent.destroy());
        const client = v2Client({ url: site.plainUrl, answerKey: site.answerKey, hostname: `penguin-${lane}`, agent });
        t.is((await client.enroll(secret)).status, 200);
        return client;
      }),
    );
    const statuses = new Map<number, number>();
    const lane = async (client: V2Client, odds: readonly OddRequest[]): Promise<boolean> => {
      for (const odd of odds) {
        for (const status of await sendOddRequest(client, site.plainUrl, odd)) {
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status >= 500 && status !== 501) return false;
        }
      }
      return true;
    };
    await t.notThrowsAsync(
      fc.assert(
        fc.asyncProperty(
          fc.array(oddRequest, { minLength: LANES * A_LANE, maxLength: LANES * A_LANE }),
          async (odds) => {
            const sent = clients.map((client, index) => lane(client, odds.slice(index * A_LANE, (index + 1) * A_LANE)));
            return (await Promise.all(sent)).every(Boolean);
          },
        ),
        // to shrink what failed would take the same time again, many times
        { ...FUZZ, numRuns: Math.ceil((SHARE[kind] * (FUZZ.numRuns ?? 0)) / (LANES * A_LANE)), endOnFailure: true },
      ),
    );
    t.log(
      [...statuses]
        .sort(([a], [b]) => a - b)
        .map(([status, count]) => `${status}: ${count}`)
        .join(', '),
    );
    t.deepEqual(
      server.lines.filter(({ event }) => event === 'request.failed'),
      [],
    );
    t.is(server.complaints(), '');
    t.true((statuses.get(200) ?? 0) > 0, 'nothing of it was taken');
    for (const client of clients) t.is((await client.update()).status, 200);
    t.is(await server.stop(), 0);
    t.deepEqual(await place.problems(), []);
  });
});
