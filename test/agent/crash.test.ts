import { randomInt } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { readBody } from '../../src/agent/spool/read-body.ts';
import { readReports } from '../../src/agent/spool/read-reports.ts';
import { rounds } from '../support/soak.ts';
import { type Machine, newMachine } from './support/machine.ts';
import { runAgent, startAgent } from './support/program.ts';
import { type Site, startSite } from './support/site.ts';

const SLOW = '[os_updates, hd_encryption, firewall, sshd, network_devices]';

/** A host whose built agent is enrolled, and that has something new to say each time. */
async function enrolled(t: ExecutionContext, site: Site): Promise<Machine> {
  const machine = await newMachine(t);
  await machine.settings(`hostname: testhost\ncollectors: {disabled: ${SLOW}}\n`);
  await machine.plugin('news', `#!/bin/sh\nprintf '"'; cat /proc/sys/kernel/random/uuid | tr -d '\\n'; printf '"'\n`);
  const said = await runAgent(['--state', machine.state, 'enroll'], { input: await site.token() });
  t.is(said.status, 0, said.err);
  return machine;
}

/** Ids that the server acknowledged, as the answers said that passed. */
function noteAcknowledged(site: Site): Set<string> {
  const acknowledged = new Set<string>();
  site.meddle(async ({ message }, next) => {
    const answered = await next();
    if (answered.status === 200) acknowledged.add(String(message['submission']));
    return answered;
  });
  return acknowledged;
}

async function assertWhole(t: ExecutionContext, { places }: Machine): Promise<string[]> {
  const { waiting, foreign } = await readReports(places);
  t.deepEqual(foreign, []);
  for (const { list } of waiting) {
    for (const digest of Object.values(list)) t.not(await readBody(places, digest), undefined);
  }
  return waiting.map(({ id }) => id);
}

test('killed again and again, the agent leaves whole reports, loses none, and goes on', async (t) => {
  const seed = randomInt(2 ** 31);
  t.log(`seed ${seed}`);
  const random = mulberry32(seed);
  const site = await startSite(t);
  const machine = await enrolled(t, site);
  const acknowledged = noteAcknowledged(site);
  const seen = new Set<string>();
  for (let round = 0; round < rounds(16, 150); round++) {
    const command = ['collect', 'submit', 'run'][Math.floor(random() * 3)] ?? 'run';
    const { child, ended } = startAgent(['--state', machine.state, command, ...(command === 'run' ? ['--now'] : [])]);
    await sleep(60 + random() * 240);
    child.kill('SIGKILL');
    await ended;
    const left = await assertWhole(t, machine);
    for (const id of left) seen.add(id);
    for (const id of seen) if (!left.includes(id)) t.true(acknowledged.has(id), `${id} was lost in round ${round}`);
  }
  const last = await runAgent(['--state', machine.state, '--json', 'run', '--now']);
  t.is(last.status, 0, last.err);
  t.like(JSON.parse(last.out), { submitted: { waiting: 0, bad: [], gone: [] } });
  t.deepEqual(await machine.spooled(), []);
  const left = await readdir(machine.places.spool.root);
  t.deepEqual(
    left.filter((name) => name.startsWith('.tmp')),
    [],
  );
  t.is((await runAgent(['--state', machine.state, 'status'])).status, 0);
});

const MOMENTS: Record<string, (kill: () => void, next: () => Promise<unknown>) => Promise<void>> = {
  'before the server sees the report': async (kill) => kill(),
  'after the server has stored the report': async (kill, next) => {
    await next();
    kill();
  },
  'as the acknowledgement arrives': async (kill, next) => {
    await next();
    setTimeout(kill, 0);
  },
  'a little after the acknowledgement': async (kill, next) => {
    await next();
    setTimeout(kill, 3);
  },
};

for (const [when, act] of Object.entries(MOMENTS)) {
  test(`killed ${when}, the agent hands it over exactly once`, async (t) => {
    const site = await startSite(t);
    const machine = await enrolled(t, site);
    t.is((await runAgent(['--state', machine.state, 'run', '--now'])).status, 0);
    await runAgent(['--state', machine.state, 'collect']);
    const [id] = await machine.spooled();
    const { child, ended } = startAgent(['--state', machine.state, 'submit']);
    site.meddle(async (_, next) => {
      const answer = next();
      await act(
        () => child.kill('SIGKILL'),
        () => answer,
      );
      return answer;
    });
    t.is((await ended).status, null);
    const acknowledged = noteAcknowledged(site);
    const said = await runAgent(['--state', machine.state, '--json', 'run', '--now']);
    t.is(said.status, 0, said.err);
    t.like(JSON.parse(said.out), { submitted: { waiting: 0, bad: [], gone: [] } });
    const host = await site.store.hosts.find('testhost');
    t.is(String(host?.identity?.last?.submission), String([...acknowledged].at(-1)));
    const trail = await site.store.trail.history('testhost', { limit: 100 });
    const changes = trail.filter(({ key }) => key.endsWith('news')).map((record) => JSON.stringify(record.new));
    t.is(new Set(changes).size, changes.length, 'a change was recorded twice');
    t.deepEqual(await machine.spooled(), []);
    t.truthy(id);
  });
}

test('an enrolment that is killed on the way is finished by the same command', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  await machine.settings('hostname: testhost\n');
  const file = join(machine.state, 'token');
  const token = await site.token({ uses: 1 });
  await writeFile(file, token);
  const { child, ended } = startAgent(['--state', machine.state, 'enroll', '--token-file', file]);
  site.meddle(async (_, next) => {
    const answer = await next();
    child.kill('SIGKILL');
    return answer;
  });
  t.is((await ended).status, null);
  t.is(await readFile(file, 'utf8'), token);
  site.meddle(undefined);
  const said = await runAgent(['--state', machine.state, '--json', 'enroll', '--token-file', file]);
  t.is(said.status, 0, said.err);
  t.is((await site.store.enrollments.list()).length, 1);
  await t.throwsAsync(readFile(file), { code: 'ENOENT' });
});

test('a stop while collecting keeps nothing, and says try again', async (t) => {
  const machine = await newMachine(t);
  await machine.settings(`hostname: testhost\ncollectors: {disabled: ${SLOW}}\n`);
  const mark = join(machine.state, 'started');
  await machine.plugin('slow', `#!/bin/sh\ntouch ${mark}\nsleep 600\n`);
  await mkdir(machine.state, { recursive: true });
  const { child, ended } = startAgent(['--state', machine.state, 'collect']);
  while (!(await readdir(machine.state)).includes('started')) await sleep(20);
  child.kill('SIGTERM');
  const { status, err } = await ended;
  t.is(status, 75);
  t.regex(err, /broken off/);
  t.deepEqual(await machine.spooled(), []);
});

/** A small generator whose seed can be printed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
