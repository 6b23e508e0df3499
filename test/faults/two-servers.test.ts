import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine } from './support/built-server.ts';
import { startServer } from './support/built-server.ts';
import { doublingProxy } from './support/doubling-proxy.ts';
import { startFleet } from './support/fleet.ts';
import { watchFleet } from './support/oracle.ts';
import { forEachPlace } from './support/places.ts';
import { seeded } from './support/seed.ts';
import { installSite } from './support/site.ts';
import { HITS, tally } from './support/tally.ts';

forEachPlace(['embedded', 'mongo replica set', 'mongo standalone'], (kind, test, prepare) => {
  test(`${kind}: of two servers that are given the same request at once, one takes it`, async (t) => {
    const place = await prepare(t);
    const sites = [await installSite(t, place.settings), await installSite(t, place.settings)] as const;
    const servers = [await startServer(t, sites[0]), await startServer(t, sites[1])] as const;
    const store = await place.open();
    const proxy = await doublingProxy(t, [sites[0].plainUrl, sites[1].plainUrl]);
    const fleet = await startFleet(t, sites[0], store, seeded(t), { url: proxy.url });
    const oracle = watchFleet(fleet);
    const raced = () => racedIn(servers[0].lines, servers[1].lines);
    while (raced().hits < HITS * 5) await sleep(50);
    await oracle.glance(t, store);
    await fleet.drain();
    await oracle.settle(t, store);
    t.is(proxy.pairs.get('200 200') ?? 0, 0, 'both took it');
    for (const server of servers) t.is(await server.stop(), 0);
    t.deepEqual(await place.problems(), []);
    const { both, hits } = raced();
    const acknowledged = fleet.acknowledgements();
    tally(t, { fault: 'two servers given the same request at once', store: kind, kills: both, hits, acknowledged });
  });
});

/**
 * A hit: both servers accepted the request of one host and sequence number, and neither had ended it when the other accepted it,
 * so that only the store could decide.
 */
function racedIn(a: readonly LogLine[], b: readonly LogLine[]): { both: number; hits: number } {
  const [first, second] = [spans(a), spans(b)];
  let [both, hits] = [0, 0];
  for (const [key, one] of first) {
    const other = second.get(key);
    if (other === undefined) continue;
    both++;
    if (Math.max(one.accepted, other.accepted) <= Math.min(one.ended, other.ended)) hits++;
  }
  return { both, hits };
}

/** When each request was accepted and ended, in milliseconds. */
function spans(lines: readonly LogLine[]): Map<string, { accepted: number; ended: number }> {
  const found = new Map<string, { accepted: number; ended: number }>();
  const open = new Map<string, { accepted: number; ended: number }>();
  for (const { event, host = '', time, sequence } of lines) {
    const at = new Date(String(time)).getTime();
    if (event === 'submit.accepted' && typeof sequence === 'number') {
      const span = { accepted: at, ended: Number.POSITIVE_INFINITY };
      found.set(`${host} ${sequence}`, span);
      open.set(host, span);
    } else if (event.startsWith('submit.') || event === 'request.refused') {
      const span = open.get(host);
      if (span !== undefined) span.ended = at;
      open.delete(host);
    }
  }
  return found;
}
