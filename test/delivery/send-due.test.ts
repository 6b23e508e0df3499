import test, { type ExecutionContext } from 'ava';
import type { OutboxEntry } from '../../src/core/delivery.ts';
import { days, hours, minutes, seconds } from '../../src/core/duration.ts';
import type { EventFields, EventName } from '../../src/core/events.ts';
import { DeliveryFailed } from '../../src/delivery/failure.ts';
import type { Lane } from '../../src/delivery/lane.ts';
import { sendDue } from '../../src/delivery/send-due.ts';
import { ALERTED_AT, anEntry } from '../support/alerts.ts';
import { temporaryStore } from '../support/stores.ts';
import { realRandom, standingClock } from '../support/world.ts';

const after = (ms: number) => new Date(ALERTED_AT.getTime() + ms);
const down = () => new DeliveryFailed('nobody there', { unreachable: true });

/** @param send in the place of a receiver, which is asked by its name */
async function site(t: ExecutionContext, send: (entries: readonly OutboxEntry[]) => Promise<void>, lane?: object) {
  const clock = standingClock(ALERTED_AT);
  const { outbox } = await temporaryStore(t);
  const events: [EventName, EventFields | undefined][] = [];
  const stop = new AbortController();
  const opened: Lane = { atOnce: 1, send, ...lane };
  const deps = {
    ...{ outbox, clock, random: realRandom, signal: stop.signal },
    ...{ timeout: seconds(10), giveUpAfter: days(3), keep: days(7) },
    openLane: async () => opened,
    log: { event: (name: EventName, fields?: EventFields) => void events.push([name, fields]) },
  };
  const one = async (key: string) => {
    for await (const entry of outbox.list({ delivered: true })) if (entry.key === key) return entry;
    throw new Error(`no ${key}`);
  };
  return { outbox, clock, events, stop, deps, one, run: () => sendDue(deps) };
}

const entry = (key: string, changes: Partial<OutboxEntry> = {}) => anEntry({ key, message: key, ...changes });

test('what is due is sent, each message as one, and then not again', async (t) => {
  const sent: string[] = [];
  const { outbox, run } = await site(t, async (entries) => {
    sent.push(entries.map(({ key }) => key).join('+'));
  });
  await outbox.add([
    entry('a', { message: 'm' }),
    entry('b', { message: 'm' }),
    entry('c'),
    entry('x', { next_at: after(1) }),
  ]);
  t.deepEqual(await run(), { delivered: 3, failed: 0, given_up: 0, problems: [] });
  t.deepEqual(sent.sort(), ['a+b', 'c']);
  t.deepEqual(await run(), { delivered: 0, failed: 0, given_up: 0, problems: [] });
});

test('two runs at once share the work', async (t) => {
  const sent: string[] = [];
  const { outbox, run } = await site(t, async ([first]) => {
    sent.push(first?.key ?? '');
    await new Promise((resolve) => setTimeout(resolve, 1));
  });
  const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
  await outbox.add(keys.map((key) => entry(key)));
  const both = await Promise.all([run(), run()]);
  t.is(both[0].delivered + both[1].delivered, 40);
  t.deepEqual(sent.sort(), keys.sort());
});

test('a failure is kept with its reason, and tried again after a growing pause, or the one that was asked for', async (t) => {
  let failure = new DeliveryFailed('not now');
  const { outbox, run, clock, one, events } = await site(t, () => Promise.reject(failure));
  await outbox.add([entry('a')]);
  t.deepEqual(await run(), { delivered: 0, failed: 1, given_up: 0, problems: ['webhook ops: not now (1 alert)'] });
  const first = await one('a');
  t.is(first.failure, 'not now');
  t.true(first.next_at >= after(seconds(30)) && first.next_at <= after(minutes(1)));
  t.is((await run()).failed, 0, 'not due');
  clock.set(after(minutes(1)));
  failure = new DeliveryFailed('wait', { retryAfter: hours(1) });
  await run();
  t.deepEqual((await one('a')).next_at, after(minutes(1) + hours(1)));
  clock.set(after(hours(2)));
  failure = new DeliveryFailed('wait for ever', { retryAfter: days(300) });
  await run();
  t.deepEqual((await one('a')).next_at, after(hours(6)), 'a receiver cannot put us off for ever');
  t.deepEqual(
    events.map(([name, fields]) => `${name} ${fields?.['attempts']} ${fields?.['reason']}`),
    ['delivery.failed 1 not now', 'delivery.failed 2 wait', 'delivery.failed 3 wait for ever'],
  );
});

test('what fails for too long is given up, with an event, and can be revived', async (t) => {
  let works = false;
  const { outbox, run, clock, one, events } = await site(t, async () => {
    if (!works) throw new DeliveryFailed('no');
  });
  await outbox.add([entry('a')]);
  clock.set(after(days(3) - 1));
  t.is((await run()).failed, 1);
  clock.set(after(days(3) + minutes(1)));
  t.deepEqual(await run(), { delivered: 0, failed: 0, given_up: 1, problems: ['webhook ops: no (1 alert)'] });
  t.deepEqual((await one('a')).given_up_at, after(days(3) + minutes(1)));
  const [name, fields] = events.at(-1) ?? [];
  t.is(name, 'delivery.given-up');
  t.like(fields, { key: 'a', channel: 'webhook', receiver: 'ops', host: 'lap-7', issue: 'firewall-disabled' });
  works = true;
  t.is((await run()).delivered, 0);
  await outbox.revive(undefined, clock.now());
  t.is((await run()).delivered, 1);
});

test('a receiver that is not there is left alone after three messages, one that refuses a message is not', async (t) => {
  const tried: string[] = [];
  let error = down();
  const { outbox, run, one } = await site(t, ([first]) => {
    tried.push(first?.key ?? '');
    return Promise.reject(error);
  });
  await outbox.add(['a', 'b', 'c', 'd', 'e'].map((key) => entry(key)));
  t.is((await run()).failed, 3);
  t.deepEqual(tried, ['a', 'b', 'c']);
  t.is((await one('d')).attempts, 0);
  error = new DeliveryFailed('not this one');
  t.is((await run()).failed, 2);
  t.deepEqual(tried, ['a', 'b', 'c', 'd', 'e']);
});

test('what waits behind a receiver that never comes back is given up in time, too', async (t) => {
  const { outbox, run, clock } = await site(t, () => Promise.reject(down()));
  await outbox.add(Array.from({ length: 250 }, (_, index) => entry(`k${index}`)));
  clock.set(after(days(4)));
  const { given_up } = await run();
  t.is(given_up, 250);
});

test('receivers do not wait for one another', async (t) => {
  const { outbox, run } = await site(t, async ([first]) => {
    if (first?.receiver === 'down') throw down();
  });
  await outbox.add(
    ['down', 'up'].flatMap((receiver) => [1, 2, 3, 4].map((n) => entry(`${receiver}${n}`, { receiver }))),
  );
  const { delivered, failed, problems } = await run();
  t.deepEqual([delivered, failed], [4, 3]);
  t.deepEqual(problems, ['webhook down: nobody there (3 alerts)']);
});

test('what a run that was killed had under way is tried by another once the lease is over', async (t) => {
  const { outbox, run, clock } = await site(t, async () => {});
  await outbox.add([entry('a')]);
  await outbox.claim(['a'], { by: 'killed', at: ALERTED_AT, until: after(seconds(30)) });
  clock.set(after(seconds(29)));
  t.is((await run()).delivered, 0);
  clock.set(after(seconds(30)));
  t.is((await run()).delivered, 1);
});

test('a run that is stopped gives back what it has claimed, and takes nothing more', async (t) => {
  const { outbox, run, stop, one } = await site(t, () => {
    stop.abort();
    return Promise.reject(new DeliveryFailed('it was interrupted'));
  });
  await outbox.add([entry('a'), entry('b')]);
  t.deepEqual(await run(), { delivered: 0, failed: 0, given_up: 0, problems: [] });
  t.is((await one('a')).attempts, 0);
  t.is((await outbox.due(ALERTED_AT)).length, 2);
});

test('a lane that cannot be opened is a failure of what should go by it', async (t) => {
  const { outbox, deps } = await site(t, async () => {});
  await outbox.add([entry('a')]);
  const openLane = () => Promise.reject(new Error('cannot read the password'));
  const { problems } = await sendDue({ ...deps, openLane });
  t.deepEqual(problems, ['webhook ops: cannot read the password (1 alert)']);
});

test('a lane that this run cannot use keeps what waits for another run, until that is too old', async (t) => {
  const { outbox, deps, clock, one } = await site(t, async () => {});
  await outbox.add([entry('a')]);
  const run = () => sendDue({ ...deps, openLane: async () => undefined });
  t.deepEqual(await run(), { delivered: 0, failed: 0, given_up: 0, problems: [] });
  t.is((await one('a')).attempts, 0);
  clock.set(after(days(3)));
  t.is((await run()).given_up, 1);
});
