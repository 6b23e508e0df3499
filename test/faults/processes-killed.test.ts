import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, underWay } from './support/built-server.ts';
import { startFleet } from './support/fleet.ts';
import { watchFleet } from './support/oracle.ts';
import { forEachPlace } from './support/places.ts';
import { between, seeded } from './support/seed.ts';
import { installSite } from './support/site.ts';
import { tally, untilHits } from './support/tally.ts';

/** A process that ends again and again is given longer and longer pauses: after so many the whole server is started anew. */
const KILLS_A_START = 3;

/** A hit: at the moment of the kill a report had been accepted whose end the log did not tell. The rest of the server lives on. */
forEachPlace(['embedded', 'mongo replica set'], (kind, test, prepare) => {
  for (const role of kind === 'embedded' ? (['writer', 'worker'] as const) : (['worker'] as const)) {
    test(`${kind}: a ${role} killed under load is started again, and nothing is lost or stored twice`, async (t) => {
      const chance = seeded(t);
      const place = await prepare(t);
      const site = await installSite(t, place.settings, { processes: 2 });
      let server = await startServer(t, site);
      const store = await place.open();
      const fleet = await startFleet(t, site, store, chance);
      const oracle = watchFleet(fleet);
      const { kills, hits } = await untilHits(t, async (number) => {
        if (number > 0 && number % KILLS_A_START === 0) {
          await server.kill('all');
          server = await startServer(t, site);
        }
        await fleet.progress(between(chance, 5, 30));
        await sleep(between(chance, 0, 40));
        const back = server.lines.filter(({ event }) => event === 'process.back').length;
        const at = new Date();
        process.kill(server.pidOf(role), 'SIGKILL');
        await server.waitFor('process.back', back + 1);
        await oracle.glance(t, store);
        return underWay(server.lines, at) > 0;
      });
      await fleet.drain();
      await oracle.settle(t, store);
      t.is(await server.stop(), 0);
      t.deepEqual(await place.problems(), []);
      const acknowledged = fleet.acknowledgements();
      tally(t, { fault: `${role} process killed (-9) under load`, store: kind, kills, hits, acknowledged });
    });
  }
});
