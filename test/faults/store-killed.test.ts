import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, underWay } from './support/built-server.ts';
import { startFleet } from './support/fleet.ts';
import { watchFleet } from './support/oracle.ts';
import { forEachPlace } from './support/places.ts';
import { between, seeded } from './support/seed.ts';
import { installSite } from './support/site.ts';
import { HITS, tally, untilHits } from './support/tally.ts';

/** A hit: at the moment of the kill the log of the server, which lives on, had accepted a report that it had not ended. */
forEachPlace(['mongo replica set', 'mongo standalone'], (kind, test, prepare) => {
  test(`${kind}: a mongod killed under load has what the server acknowledged, and the server goes on with it`, async (t) => {
    const chance = seeded(t);
    const place = await prepare(t);
    const site = await installSite(t, place.settings);
    const server = await startServer(t, site);
    const store = await place.open();
    const fleet = await startFleet(t, site, store, chance);
    const oracle = watchFleet(fleet);
    const strike = async () => {
      await fleet.progress(between(chance, 5, 30));
      await sleep(between(chance, 0, 40));
      const at = new Date();
      await place.mongod?.kill();
      await place.mongod?.start();
      await place.patiently(() => oracle.glance(t, store));
      return underWay(server.lines, at) > 0;
    };
    // a mongod takes seconds to come back, and a standalone differs from a set in little here
    const { kills, hits } = await untilHits(t, strike, kind === 'mongo standalone' ? Math.ceil(HITS / 4) : HITS);
    await fleet.drain();
    await place.patiently(() => oracle.settle(t, store));
    t.is(await server.stop(), 0);
    t.deepEqual(await place.problems(), []);
    tally(t, {
      fault: 'mongod killed (-9) under load',
      store: kind,
      kills,
      hits,
      acknowledged: fleet.acknowledgements(),
    });
  });
});
