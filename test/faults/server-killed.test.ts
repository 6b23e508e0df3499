import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, underWay } from './support/built-server.ts';
import { startFleet } from './support/fleet.ts';
import { watchFleet } from './support/oracle.ts';
import { forEachPlace } from './support/places.ts';
import { between, oneOf, seeded } from './support/seed.ts';
import { installSite } from './support/site.ts';
import { tally, untilHits } from './support/tally.ts';

/** A hit: when the log ended, at least one report was accepted whose end it does not tell. */
forEachPlace(['embedded', 'mongo replica set'], (kind, test, prepare) => {
  test(`${kind}: a server killed under load loses nothing that it acknowledged, and stores nothing twice`, async (t) => {
    const chance = seeded(t);
    const place = await prepare(t);
    const site = await installSite(t, place.settings);
    let server = await startServer(t, site);
    const store = await place.open();
    const fleet = await startFleet(t, site, store, chance);
    const oracle = watchFleet(fleet);
    const { kills, hits } = await untilHits(t, async () => {
      await fleet.progress(between(chance, 5, 30));
      await sleep(between(chance, 0, 40));
      await server.kill(oneOf(chance, 'primary', 'all'));
      const hit = underWay(server.lines) > 0;
      await oracle.glance(t, store);
      server = await startServer(t, site);
      return hit;
    });
    await fleet.drain();
    await oracle.settle(t, store);
    t.is(await server.stop(), 0);
    t.deepEqual(await place.problems(), []);
    tally(t, {
      fault: 'server killed (-9) under load',
      store: kind,
      kills,
      hits,
      acknowledged: fleet.acknowledgements(),
    });
  });

  test(`${kind}: a server stopped under load answers what it has accepted, and goes on from there`, async (t) => {
    const place = await prepare(t);
    const site = await installSite(t, place.settings);
    const server = await startServer(t, site);
    const store = await place.open();
    const fleet = await startFleet(t, site, store, seeded(t));
    const oracle = watchFleet(fleet);
    await fleet.progress(30);
    t.is(await server.stop(), 0);
    t.is(underWay(server.lines), 0);
    await oracle.glance(t, store);
    const again = await startServer(t, site);
    await fleet.drain();
    await oracle.settle(t, store);
    t.is(await again.stop(), 0);
  });
});
