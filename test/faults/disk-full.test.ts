import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { openIdentityLog } from '../../src/store/identity-log.ts';
import { openStore } from '../../src/store/open.ts';
import { runAgent } from '../agent/support/program.ts';
import { startSite } from '../agent/support/site.ts';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { makeToken, v2Client } from '../support/v2-client.ts';
import { realClock, realRandom } from '../support/world.ts';
import { type LogLine, startServer } from './support/built-server.ts';
import { startFleet } from './support/fleet.ts';
import { watchFleet } from './support/oracle.ts';
import { forEachPlace, type Place } from './support/places.ts';
import { between, seeded } from './support/seed.ts';
import { installSite } from './support/site.ts';
import { canMount, smallDisk } from './support/small-disk.ts';
import { tally, untilHits } from './support/tally.ts';
import { enrolVictim } from './support/victim.ts';

const mountable = canMount();
const NO_MOUNT = 'faults of a full disk: a tmpfs cannot be mounted (that takes root)';

/** A hit: while the disk was full, a report that had been accepted was refused with 503. */
forEachPlace(['embedded', 'mongo replica set'], (kind, test, prepare) => {
  (mountable ? test : whenPresent(false, NO_MOUNT))(
    `${kind}: a server whose disk is full says "come again", loses nothing, and goes on when there is room`,
    async (t) => {
      const chance = seeded(t);
      const disk = await smallDisk(t, 256);
      const place = await prepare(t, disk.folder);
      const site = await installSite(t, place.settings);
      const server = await startServer(t, site);
      const store = await place.open();
      // a mongod ends itself on a full disk, as it says in its manual, and may take its time to: whoever supervises it starts it again
      if (place.mongod !== undefined) supervise(t, place.mongod);
      const fleet = await startFleet(t, site, store, chance, { bulk: 200 });
      const oracle = watchFleet(fleet);
      const { kills, hits } = await untilHits(t, async () => {
        await fleet.progress(between(chance, 5, 30));
        const from = server.lines.length;
        await disk.fill(between(chance, 0, 64 * 1024));
        const crowded = place.crowd();
        const hit = await within(SOON, () => refusedAfterAccepting(server.lines, from));
        await crowded;
        await disk.makeRoom();
        await sleep(between(chance, 0, 20));
        await place.patiently(() => oracle.glance(t, store));
        return hit;
      });
      await fleet.drain();
      await place.patiently(() => oracle.settle(t, store));
      t.is(await server.stop(), 0);
      t.deepEqual(await place.problems(), []);
      tally(t, { fault: "server's disk full", store: kind, kills, hits, acknowledged: fleet.acknowledgements() });
    },
  );
});

const test = whenPresent(mountable, NO_MOUNT);

/** A hit: a run of the agent said that the disk is full. */
test('an agent whose disk is full says so, loses nothing, and goes on when there is room', async (t) => {
  const chance = seeded(t);
  const disk = await smallDisk(t, 2);
  const site = await startSite(t);
  const victim = await enrolVictim(t, site, join(disk.folder, 'state'));
  const { state } = victim.machine;
  const acknowledged = new Set<string>();
  site.meddle(async ({ message }, next) => {
    const answered = await next();
    if (answered.status === 200) acknowledged.add(String(message['submission']));
    return answered;
  });
  await runAgent(['--state', state, 'run', '--now']);
  const { kills, hits } = await untilHits(t, async () => {
    await disk.fill(between(chance, 0, 9) * 4096);
    const { status, err } = await runAgent(['--state', state, 'run', '--now']);
    await disk.makeRoom();
    const left = await victim.look(t);
    for (const id of victim.seen.keys()) if (!left.includes(id)) t.true(acknowledged.has(id), `${id} was lost`);
    const hit = status !== 0;
    if (hit) t.regex(err, /the disk is full/);
    return hit;
  });
  const said = await runAgent(['--state', state, '--json', 'run', '--now']);
  t.is(said.status, 0, said.err);
  t.like(JSON.parse(said.out), { submitted: { waiting: 0, bad: [], gone: [] } });
  t.deepEqual(await victim.machine.spooled(), []);
  tally(t, {
    fault: "agent's disk full",
    store: "the agent's own files",
    kills,
    hits,
    acknowledged: acknowledged.size,
  });
});

test('a server that cannot write its list of identities enrols nobody, says "come again", and enrols when there is room', async (t) => {
  const disk = await smallDisk(t, 1);
  const state = join(disk.folder, 'state');
  const file = join(await scratchFolder(t), 'store/penguindome.db');
  const site = await installSite(t, { kind: 'embedded', file }, { state });
  await mkdir(state);
  const server = await startServer(t, site);
  const store = await openStore(site.store, { clock: realClock, random: realRandom });
  t.teardown(() => store.close());
  const secret = await makeToken(store, { uses: 1 });
  const client = v2Client({ ...site, hostname: 'penguin-0' });
  await disk.fill(0);
  const refused = await client.enroll(secret);
  t.deepEqual([refused.status, refused.json['error'], refused.verified], [503, 'unavailable', true]);
  t.is(await store.enrollments.find(client.key.id), undefined);
  await disk.makeRoom();
  const { status, json } = await client.enroll(secret);
  t.deepEqual([status, json['status']], [200, 'approved']);
  const { events } = await openIdentityLog(join(state, 'identities.log')).read();
  t.deepEqual(
    events.map(({ event }) => event),
    ['enrolled', 'approved'],
  );
  t.regex(await readFile(join(state, 'identities.log'), 'utf8'), /\n$/);
  t.is(await server.stop(), 0);
});

/** Starts it whenever it has ended, until the test does. */
function supervise(t: ExecutionContext, { isAlive, start }: NonNullable<Place['mongod']>): void {
  const watching = setInterval(() => {
    if (!isAlive()) void start();
  }, 50);
  t.teardown(() => clearInterval(watching));
}

/**
 * Longer than the server takes to find out that its store is gone. WiredTiger tries a write for 3 s before it believes that the disk is full, and
 * a mongod then takes its time to say so and end.
 */
const SOON = 15_000;

async function within(milliseconds: number, condition: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < milliseconds; waited += 10) {
    if (condition()) return true;
    await sleep(10);
  }
  return false;
}

/** Since that line. */
function refusedAfterAccepting(lines: readonly LogLine[], from: number): boolean {
  const accepted = new Set<string>();
  for (const { event, host = '', code } of lines.slice(from)) {
    if (event === 'submit.accepted') accepted.add(host);
    else if (event === 'request.refused' && code === 'unavailable' && accepted.has(host)) return true;
    else if (event.startsWith('submit.')) accepted.delete(host);
  }
  return false;
}
