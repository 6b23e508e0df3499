import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from './support/built-server.ts';
import { cuttingProxy } from './support/cutting-proxy.ts';
import { startFleet } from './support/fleet.ts';
import { watchFleet } from './support/oracle.ts';
import { forEachPlace } from './support/places.ts';
import { seeded } from './support/seed.ts';
import { installSite } from './support/site.ts';
import { HITS, tally } from './support/tally.ts';

/**
 * Each cut is a hit: in a body after its headers and before its last byte (the server never has the whole request), or in an answer before its
 * last byte (the server has settled the report, and its host does not know).
 */
forEachPlace(['embedded', 'mongo replica set'], (kind, test, prepare) => {
  for (const where of ['body', 'answer'] as const) {
    test(`${kind}: a network cut in the middle of ${where === 'body' ? 'a body' : 'an answer'} loses and doubles nothing`, async (t) => {
      const chance = seeded(t);
      const place = await prepare(t);
      const site = await installSite(t, place.settings);
      const server = await startServer(t, site);
      const store = await place.open();
      const port = Number(new URL(site.plainUrl).port);
      const proxy = await cuttingProxy(t, { port, where, chance });
      const fleet = await startFleet(t, site, store, chance, { url: proxy.url });
      const oracle = watchFleet(fleet);
      while (proxy.cuts[where] < HITS * 5) await sleep(10);
      await oracle.glance(t, store);
      proxy.stop();
      await fleet.drain();
      await oracle.settle(t, store);
      const repeated = server.lines.filter(({ event }) => event === 'submit.repeated').length;
      if (where === 'answer') t.true(repeated > 0, 'no answer had to be repeated');
      t.is(await server.stop(), 0);
      t.deepEqual(await place.problems(), []);
      const hits = proxy.cuts[where];
      const fault = `network cut in the middle of ${where === 'body' ? 'a body' : 'an answer'}`;
      tally(t, { fault, store: kind, kills: hits, hits, acknowledged: fleet.acknowledgements() });
    });
  }
});
