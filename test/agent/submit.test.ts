import { createHash } from 'node:crypto';
import { chmod, cp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openMemory } from '../../src/agent/submitter-state.ts';
import { listDigest } from '../../src/wire/v2/digest.ts';
import { enrolledMachine, type Machine, newMachine } from './support/machine.ts';
import { startAgent } from './support/program.ts';
import { type Answered, type Site, startSite } from './support/site.ts';

const SUBMIT = '/penguindome/v2/submit';

const submitted = (site: Site) => site.passed.filter(({ path }) => path === SUBMIT);
const sequenceOf = (site: Site, index: number) => Number(submitted(site).at(index)?.headers['penguindome-sequence']);

async function collectAndSubmit(machine: Machine) {
  await machine.run('collect');
  return machine.run('--json', 'submit');
}

test('what a collector says arrives as it was said', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  machine.facts['strange'] = JSON.parse('{"$where": 1, "__proto__": {"x": 1.5e300}, "a.b": [null, true, "\\u0000"]}');
  const said = await collectAndSubmit(machine);
  t.is(said.status, 0, said.err);
  const host = await site.store.hosts.find('testhost');
  t.deepEqual(JSON.stringify(host?.plugins?.['strange']), JSON.stringify(machine.facts['strange']));
});

test('an unchanged report costs a digest: below 1 KB, headers included', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site, { hostname: 'a-laptop-with-a-long-name.example.com' });
  machine.facts['much'] = { text: 'x'.repeat(50_000) };
  await collectAndSubmit(machine);
  const quiet = await collectAndSubmit(machine);
  const request = submitted(site).at(-1);
  t.is(request?.message['list'], undefined);
  t.is(request?.message['bodies'], undefined);
  t.true((request?.bytes ?? 9999) < 1000, `${request?.bytes} bytes`);
  t.is(quiet.json()['bytes'], request?.bytes);
  t.is(
    (await site.store.hosts.find('a-laptop-with-a-long-name.example.com'))?.collected_at?.toISOString(),
    String(request?.message['collected_at']),
  );
});

test('only the bodies that changed travel', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  machine.facts['a'] = 1;
  machine.facts['b'] = 2;
  await collectAndSubmit(machine);
  machine.facts['b'] = 3;
  await collectAndSubmit(machine);
  t.deepEqual(Object.values(submitted(site).at(-1)?.message['bodies'] ?? {}), [3]);
  t.like((await site.store.hosts.find('testhost'))?.plugins, { a: 1, b: 3 });
});

test('a collector that is gone is gone on the server', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  machine.facts['extra'] = 1;
  await collectAndSubmit(machine);
  delete machine.facts['extra'];
  await collectAndSubmit(machine);
  t.deepEqual(Object.keys((await site.store.hosts.find('testhost'))?.plugins ?? {}), ['os_info', 'submitted_at']);
});

test('larger requests are compressed, smaller ones are not', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  machine.facts['much'] = 'x'.repeat(100_000);
  await collectAndSubmit(machine);
  t.is(submitted(site).at(-1)?.headers['content-encoding'], 'gzip');
  t.true((submitted(site).at(-1)?.body.length ?? 0) < 5000);
  await collectAndSubmit(machine);
  t.is(submitted(site).at(-1)?.headers['content-encoding'], undefined);
});

test('reports that waited go in the order of their collection, over one connection', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  for (const value of [1, 2, 3]) {
    machine.facts['n'] = value;
    await machine.run('collect');
  }
  const said = await machine.run('--json', 'submit');
  t.is(said.status, 0, said.err);
  const bodies = submitted(site).map(({ message }) => Object.values(message['bodies'] ?? {}));
  t.deepEqual(
    bodies.map((values) => values.filter((value) => typeof value === 'number')),
    [[1], [2], [3]],
  );
  const trail = await site.store.trail.history('testhost', { limit: 100 });
  t.true(trail.length > 0);
});

test('acknowledged reports leave the spool with the next collection, and their acks after that', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await collectAndSubmit(machine);
  const [first] = await machine.spooled();
  t.truthy(first);
  await stat(join(machine.places.acks, `${first}.ok`));
  await machine.run('collect');
  t.false((await machine.spooled()).includes(first ?? ''));
  await machine.run('submit');
  await t.throwsAsync(stat(join(machine.places.acks, `${first}.ok`)), { code: 'ENOENT' });
});

test('run collects, submits and clears the spool; right after that nothing is due', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  const said = await machine.run('--json', 'run');
  t.is(said.status, 0, said.err);
  t.like(said.json(), { collected: true, submitted: { waiting: 0 } });
  t.deepEqual(await machine.spooled(), []);
  const count = site.passed.length;
  t.deepEqual((await machine.run('--json', 'run')).json(), { collected: false, submitted: false });
  t.is(site.passed.length, count);
  t.like((await machine.run('--json', 'run', '--now')).json(), { collected: true });
  const status = await machine.run('--json', 'status');
  t.is(status.status, 0, status.out);
  t.deepEqual(status.json()['problems'], []);
});

test('run submits what waits although another run is collecting, held up by a slow plugin', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  t.is((await machine.run('collect')).status, 0);
  const [first] = await machine.spooled();
  const started = join(machine.state, 'started');
  await machine.plugin('slow.sh', `#!/bin/sh\ntouch ${started}\nsleep 60\n`);
  const { child, ended } = startAgent(['--state', machine.state, 'collect']);
  t.teardown(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  while (
    !(await stat(started).then(
      () => true,
      () => false,
    ))
  )
    await new Promise((resolve) => setTimeout(resolve, 20));
  const said = await machine.run('--json', 'run', '--now');
  t.is(said.status, 75);
  t.like(said.json(), { collected: false, submitted: { stored: [first], waiting: 0 } });
});

const UNTRUSTED: Record<string, (answered: Answered, earlier: Answered | undefined) => Answered> = {
  'an answer without a signature': ({ status, body, headers: { signature: _, ...headers } }) => ({
    status,
    body,
    headers,
  }),
  'an answer whose body was altered': ({ status, headers, body }) => ({
    status,
    headers,
    body: Buffer.from(body.toString().replace('"chain":"', '"chain":"x')),
  }),
  'an answer whose body and digest were altered': ({ status, headers, body }) => {
    const altered = Buffer.from(body.toString().replace('"chain":"', '"chain":"x'));
    return { status, body: altered, headers: { ...headers, 'content-digest': digestOf(altered) } };
  },
  'an answer whose status was altered': ({ headers, body }) => ({ status: 503, headers, body }),
  'the answer to another request': (answered, earlier) => earlier ?? answered,
};

function digestOf(body: Buffer): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}

for (const [what, alter] of Object.entries(UNTRUSTED)) {
  test(`${what} changes nothing`, async (t) => {
    const site = await startSite(t);
    const machine = await enrolledMachine(t, site);
    let earlier: Answered | undefined;
    site.meddle(async (_, next) => {
      earlier = await next();
      return earlier;
    });
    await collectAndSubmit(machine);
    await machine.run('collect');
    const before = await machine.submitter();
    site.meddle(async (_, next) => alter(await next(), earlier));
    const said = await machine.run('--json', 'submit');
    t.is(said.status, 75, said.out);
    const after = await machine.submitter();
    t.deepEqual(
      [after.chain, after.acknowledged, after.epoch, after.submitted_at],
      [before.chain, before.acknowledged, before.epoch, before.submitted_at],
    );
    const [waiting] = await machine.spooled();
    t.is((await machine.spooled()).length, 1);
    await t.throwsAsync(stat(join(machine.places.acks, `${waiting}.ok`)), { code: 'ENOENT' });
    site.meddle(undefined);
    t.is((await machine.run('submit')).status, 0);
  });
}

test('an acknowledgement that is lost is asked for again under the same id, and the report is stored once', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await machine.run('collect');
  site.meddle(async (_, next) => {
    await next();
    return undefined;
  });
  t.is((await machine.run('submit')).status, 75);
  site.meddle(undefined);
  machine.facts['later'] = 1;
  await machine.run('collect');
  const said = await machine.run('--json', 'submit');
  t.is(said.status, 0, said.err);
  const ids = submitted(site).map(({ message }) => message['submission']);
  t.is(ids[0], ids[1]);
  t.is(ids.length, 3);
  t.true(sequenceOf(site, 1) > sequenceOf(site, 0));
});

test('an unanswered report that the spool dropped meanwhile is settled as gone, and the next one heals', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await collectAndSubmit(machine);
  machine.facts['n'] = 1;
  await machine.run('collect');
  site.meddle(async () => undefined);
  t.is((await machine.run('submit')).status, 75);
  for (const id of await machine.spooled()) await rm(join(machine.places.spool.reports, `${id}.json`));
  site.meddle(undefined);
  const { unanswered } = await machine.submitter();
  machine.facts['n'] = 2;
  const said = await collectAndSubmit(machine);
  t.is(said.status, 0, said.err);
  const [gone, next] = submitted(site).slice(-2);
  t.like(gone?.message, { submission: unanswered?.submission, gone: true });
  t.truthy(next?.message['list']);
  t.like((await site.store.hosts.find('testhost'))?.plugins, { n: 2 });
});

test('a body that the spool has lost makes its report gone, and stops no other', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  machine.facts['n'] = 'first';
  await machine.run('collect');
  const [id] = await machine.spooled();
  const report = JSON.parse(await readFile(join(machine.places.spool.reports, `${id}.json`), 'utf8'));
  await writeFile(join(machine.places.spool.bodies, report.list['plugins.n']), '"torn');
  machine.facts['n'] = 'second';
  const said = await collectAndSubmit(machine);
  t.is(said.status, 0, said.err);
  t.deepEqual(said.json()['gone'], [id]);
  t.like((await site.store.hosts.find('testhost'))?.plugins, { n: 'second' });
});

test('a server that has lost bodies asks for them by name and gets them', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await collectAndSubmit(machine);
  const memory = await openMemory(machine.places);
  machine.facts['never_sent'] = { deep: true };
  await machine.run('collect');
  const [id] = (await machine.spooled()).slice(-1);
  const { list } = JSON.parse(await readFile(join(machine.places.spool.reports, `${id}.json`), 'utf8'));
  // As if the server had acknowledged this very list, and then been restored from an older backup.
  await memory.keep({ acknowledged: { digest: listDigest(list), list } });
  const said = await machine.run('--json', 'submit');
  t.is(said.status, 0, said.err);
  const [first, second, third] = submitted(site).slice(-3);
  t.is(first?.message['list'], undefined);
  t.deepEqual(second?.message['list'], list);
  t.deepEqual(Object.values(third?.message['bodies'] ?? {}), [{ deep: true }]);
  t.deepEqual(
    [second, third].map((one) => one?.message['submission']),
    [id, id],
  );
  t.like((await site.store.hosts.find('testhost'))?.plugins, { never_sent: { deep: true } });
});

test('a report that the server calls malformed is set aside with the reason, and the next ones go on', async (t) => {
  const site = await startSite(t, { document: 20_000 });
  const machine = await enrolledMachine(t, site);
  machine.facts['huge'] = 'x'.repeat(50_000);
  await machine.run('collect');
  const [bad] = await machine.spooled();
  machine.facts['huge'] = 'small now';
  await machine.run('collect');
  const said = await machine.run('--json', 'submit');
  t.is(said.status, 0, said.err);
  t.like(said.json(), { waiting: 0, bad: [{ id: bad }] });
  t.like((await site.store.hosts.find('testhost'))?.plugins, { huge: 'small now' });
  await machine.run('collect');
  const aside = JSON.parse(await readFile(join(machine.places.spool.reports, `${bad}.bad`), 'utf8'));
  t.regex(aside.reason, /^too-large: cannot/);
  const status = await machine.run('--json', 'status');
  t.is(status.json()['bad'], 1);
  t.true(status.out.includes('malformed'));
});

test('a stored sequence number that is far ahead is given up for the one that the server knows', async (t) => {
  const site = await startSite(t);
  const year = 365 * 86_400_000;
  let ahead = 0;
  const machine = await enrolledMachine(t, site, { clock: { now: () => new Date(Date.now() + ahead) } });
  await machine.run('collect');
  ahead = year;
  const skewed = await machine.run('--json', 'submit');
  t.is(skewed.status, 5);
  t.like(skewed.json(), { problem: { code: 'clock-skew' }, waiting: 1 });
  t.regex(skewed.err, /clock is wrong: this host says 20\d\d-.*, the server 20\d\d-/);
  ahead = 0;
  const { sequence } = await machine.submitter();
  t.true(sequence > (Date.now() + year / 2) * 1000);
  const said = await machine.run('--json', 'submit');
  t.is(said.status, 0, said.err);
  t.true(sequenceOf(site, -2) > sequence);
  t.true(sequenceOf(site, -1) < (Date.now() + 60_000) * 1000);
  t.is((await machine.run('submit')).status, 0);
});

test('each attempt has a sequence number of its own, on disk before it is sent', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site, { clock: { now: () => FROZEN } });
  await machine.run('collect');
  const onDisk: number[] = [];
  site.meddle(async () => {
    onDisk.push((await machine.submitter()).sequence);
    return undefined;
  });
  await machine.run('submit');
  await machine.run('submit');
  t.deepEqual(onDisk, [sequenceOf(site, 0), sequenceOf(site, 1)]);
  t.is(sequenceOf(site, 1), sequenceOf(site, 0) + 1);
});

const FROZEN = new Date();

test('a cloned disk is told that it is forked, and keeps its reports', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await collectAndSubmit(machine);
  const copy = join(machine.state, '..', 'copy');
  await cp(machine.state, copy, { recursive: true });
  const clone = await newMachine(t, { state: copy });
  t.is((await collectAndSubmit(machine)).status, 0);
  const said = await collectAndSubmit(clone);
  t.is(said.status, 4);
  t.like(said.json(), { problem: { code: 'forked' }, waiting: 1 });
  t.regex((await clone.run('status')).out, /enrollment replace/);
  t.is((await collectAndSubmit(machine)).status, 0);
});

test('a revoked key and an unknown host are told apart, and lose nothing', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  const { key_id } = await machine.submitter();
  const host = await site.store.hosts.find('testhost');
  const key = host?.identity?.keys.find(({ id }) => id === key_id);
  t.truthy(key);
  if (key !== undefined) t.true(await site.store.hosts.revokeKey(key.id, new Date()));
  const revoked = await collectAndSubmit(machine);
  t.is(revoked.status, 4);
  t.like(revoked.json(), { problem: { code: 'revoked-key' }, waiting: 1 });
  const elsewhere = await startSite(t);
  const stranger = await enrolledMachine(t, elsewhere);
  const trust = JSON.parse(await readFile(stranger.places.trust, 'utf8'));
  await writeFile(
    stranger.places.trust,
    JSON.stringify({ ...trust, answer_key: site.answerKey.publicKey, url: site.url }),
  );
  await stranger.settings(`url: ${site.url}\n`);
  const unknown = await collectAndSubmit(stranger);
  t.is(unknown.status, 4);
  t.like(unknown.json(), { problem: { code: 'unknown-key' }, waiting: 1 });
});

test('a busy server, and a portal that answers in its place, mean: try again', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await machine.run('collect');
  for (const status of [503, 429, 500]) {
    site.meddle(async () => ({ status, headers: { 'retry-after': '5' }, body: Buffer.from('later') }));
    const said = await machine.run('--json', 'submit');
    t.is(said.status, 75);
    t.like(said.json(), { problem: { code: 'busy' }, waiting: 1 });
  }
  site.meddle(async () => ({ status: 200, headers: {}, body: Buffer.from('<html>please log in') }));
  t.like((await machine.run('--json', 'submit')).json(), { problem: { code: 'unverified' }, waiting: 1 });
  site.meddle(async () => ({ status: 200, headers: {}, body: Buffer.alloc(3 * 1024 * 1024) }));
  t.like((await machine.run('--json', 'submit')).json(), { problem: { code: 'unverified' }, waiting: 1 });
});

test('a server that never answers is given up at the time limit', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await machine.settings('network: {timeout: 1s}\n');
  await machine.run('collect');
  site.meddle(() => new Promise(() => {}));
  const said = await machine.run('--json', 'submit');
  t.is(said.status, 75);
  t.like(said.json(), { problem: { code: 'timed-out' }, waiting: 1 });
});

test('a damaged state of the submitter is told, not guessed at', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await machine.run('collect');
  await writeFile(machine.places.submit.state, '{"chain": ');
  const said = await machine.run('submit');
  t.is(said.status, 3);
  t.regex(said.err, /it is damaged/);
});

test('a key that others may read is not used', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await machine.run('collect');
  await chmod(machine.places.identity, 0o644);
  const said = await machine.run('submit');
  t.is(said.status, 3);
  t.regex(said.err, /chmod 600/);
  t.is(submitted(site).length, 0);
});
