import { readdir, readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { readJournal } from '../../src/agent/spool/journal.ts';
import { readSubmitterState } from '../../src/agent/submitter-state.ts';
import { runAgent } from '../agent/support/program.ts';
import { type Answered, type Site, startSite } from '../agent/support/site.ts';
import { forEachPlace } from './support/places.ts';
import { between, type Chance, seeded } from './support/seed.ts';
import { HITS, tally } from './support/tally.ts';
import { appears, changesIn, enrolVictim, type Victim } from './support/victim.ts';

interface Scene {
  victim: Victim;
  site: Site;
  chance: Chance;
  /** ids that the server's answers acknowledged, whether or not they arrived */
  acknowledged: Set<string>;
}

/** Kills the agent (-9) in one phase of its work. @returns whether it was a hit: what that is, each says by what lies on the disk afterwards */
type Strike = (scene: Scene) => Promise<boolean>;

const PHASES: Record<string, Strike> = {
  /** A hit: a plugin had run, and the spool is as it was. */
  collect: async ({ victim, chance }) => {
    const before = await victim.spoolFiles();
    await rm(victim.mark, { force: true });
    const { child, ended } = victim.start('collect');
    await appears(victim.mark, ended);
    await sleep(between(chance, 0, 20));
    child.kill('SIGKILL');
    const { status } = await ended;
    return status === null && String(await victim.spoolFiles()) === String(before);
  },

  /** A hit: the spool has something new, and the journal does not tell of a new report. */
  'spool write': async ({ victim, chance }) => {
    const { places } = victim.machine;
    const [files, journal] = [await victim.spoolFiles(), await readJournal(places)];
    const { reports, bodies, root } = places.spool;
    const { child, ended } = victim.start('collect');
    await changesIn([bodies, reports, root], between(chance, 1, 30), ended);
    child.kill('SIGKILL');
    const { status } = await ended;
    const changed = String(await victim.spoolFiles()) !== String(files);
    return status === null && changed && (await readJournal(places)).number === journal.number;
  },

  /** A hit: the server had the whole request, and the agent died before any of the answer was there. */
  submit: async (scene) => {
    const { victim, site, chance } = scene;
    await victim.start('collect').ended;
    const { child, ended } = victim.start('submit');
    const moment = between(chance, 0, 3);
    let struck: string | undefined;
    site.meddle(async ({ message }, pass) => {
      const next = () => noted(scene, message, pass);
      if (struck !== undefined) return next();
      struck = String(message['submission']);
      // never handed to the server; handed over while the agent dies; or stored, and then it dies
      if (moment === 0) {
        child.kill('SIGKILL');
        return undefined;
      }
      const answered = next();
      if (moment === 2) await answered;
      child.kill('SIGKILL');
      return answered;
    });
    await ended;
    site.meddle(undefined);
    const state = await readSubmitterState(victim.machine.places);
    return struck !== undefined && state?.unanswered?.submission === struck;
  },

  /** A hit: the answer was sent, and either the agent's state does not tell of it, or its ack is not there. */
  acknowledgement: async (scene) => {
    const { victim, site, chance } = scene;
    const { places } = victim.machine;
    await victim.start('collect').ended;
    const { child, ended } = victim.start('submit');
    const count = between(chance, 0, 9);
    let struck: string | undefined;
    site.meddle(async ({ message }, next) => {
      const answered = await noted(scene, message, next);
      if (answered.status !== 200 || struck !== undefined) return answered;
      struck = String(message['submission']);
      void changesIn([places.acks, places.submit.root], count, ended).then(() => child.kill('SIGKILL'));
      return answered;
    });
    const { status } = await ended;
    site.meddle(undefined);
    const state = await readSubmitterState(places);
    const acked = (await readdir(places.acks)).includes(`${struck}.ok`);
    return status === null && struck !== undefined && (state?.unanswered?.submission === struck || !acked);
  },
};

forEachPlace(['embedded', 'mongo replica set'], (kind, test, prepare) => {
  test(`${kind}: an agent killed in any phase leaves whole reports, and hands each over exactly once`, async (t) => {
    const chance = seeded(t);
    const place = await prepare(t);
    const store = await place.open();
    const site = await startSite(t, {}, { store });
    const victim = await enrolVictim(t, site);
    const acknowledged = new Set<string>();
    const scene = { victim, site, chance, acknowledged };
    await runAgent(['--state', victim.machine.state, 'run', '--now']);
    const first = (await store.hosts.find('testhost'))?.plugins?.['news'];
    const counts = Object.entries(PHASES).map(([phase, strike]) => ({ phase, strike, kills: 0, hits: 0 }));
    let sequence = 0;
    while (counts.some(({ hits }) => hits < HITS)) {
      for (const count of counts.filter(({ hits }) => hits < HITS)) {
        t.true(count.kills < HITS * 10, `${count.phase}: too few hits`);
        if (await count.strike(scene)) count.hits++;
        count.kills++;
        await nothingIsLost(t, scene);
        const stored = (await readSubmitterState(victim.machine.places))?.sequence ?? 0;
        t.true(stored >= sequence, 'a sequence number went back');
        sequence = stored;
      }
    }
    await recovers(t, scene, String(first));
    t.deepEqual(await place.problems(), []);
    for (const { phase, kills, hits } of counts) {
      tally(t, { fault: `agent killed (-9) in: ${phase}`, store: kind, kills, hits, acknowledged: victim.seen.size });
    }
  });
});

async function noted(
  { acknowledged }: Scene,
  message: Record<string, unknown>,
  next: () => Promise<Answered>,
): Promise<Answered> {
  const answered = await next();
  if (answered.status === 200) acknowledged.add(String(message['submission']));
  return answered;
}

/** What was in the spool once, and is not any more, the server has. */
async function nothingIsLost(t: ExecutionContext, { victim, acknowledged }: Scene): Promise<void> {
  const left = await victim.look(t);
  for (const id of victim.seen.keys()) {
    if (!left.includes(id)) t.true(acknowledged.has(id), `${id} was lost`);
  }
}

async function recovers(t: ExecutionContext, { victim, site }: Scene, first: string): Promise<void> {
  const { state, places } = victim.machine;
  const said = await runAgent(['--state', state, '--json', 'run', '--now']);
  t.is(said.status, 0, said.err);
  const { report, submitted } = JSON.parse(said.out);
  t.like(submitted, { waiting: 0, bad: [], gone: [] });
  t.true(submitted.stored.includes(report));
  t.deepEqual(await victim.machine.spooled(), []);
  for (const folder of [places.spool.root, places.spool.reports, places.spool.bodies]) {
    const unfinished = (await readdir(folder)).filter((name) => name.startsWith('.tmp'));
    t.deepEqual(unfinished, []);
  }
  const last = (await site.store.hosts.find('testhost'))?.plugins?.['news'];
  const trail = await site.store.trail.history('testhost', { limit: 100_000 });
  const changes = trail.filter(({ key }) => key === 'plugins.news').reverse();
  // each report's news once, in the order in which they were collected, each after the one before
  const news = [...victim.seen.values(), String(last)];
  t.deepEqual(
    changes.map((record) => record.new),
    news,
  );
  t.deepEqual(
    changes.map((record) => ('old' in record ? record.old : undefined)),
    [first, ...news.slice(0, -1)],
  );
  t.deepEqual(await site.store.issues.history({ names: ['cloned-identity'], limit: 1 }), []);
  t.is(JSON.parse(await readFile(places.submit.state, 'utf8')).unanswered, null);
  t.is((await runAgent(['--state', state, 'status'])).status, 0);
}
