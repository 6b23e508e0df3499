import { readFile, stat, writeFile } from 'node:fs/promises';
import test from 'ava';
import { days } from '../../src/core/duration.ts';
import { onlyAnswerKey } from '../../src/crypto/answer-keys.ts';
import { generateSigningKey, loadSigningKey } from '../../src/crypto/ed25519.ts';
import { KEYS, SUBMIT } from '../../src/wire/v2/paths.ts';
import { rotated } from '../support/answer-keys.ts';
import { rounds } from '../support/soak.ts';
import { enrolledMachine, type Machine, newMachine } from './support/machine.ts';
import { runAgent, startAgent } from './support/program.ts';
import { type Answered, type Site, startSite } from './support/site.ts';

const SLOW = '[os_updates, hd_encryption, firewall, sshd, network_devices]';

const asked = (site: Site) => site.passed.filter(({ path }) => path === KEYS).length;

async function report(machine: Machine) {
  await machine.run('collect');
  return machine.run('--json', 'submit');
}

/** What it did before, or nothing at all: neither chain nor spool moves. */
async function refusesToAct(machine: Machine) {
  const before = await machine.submitter();
  const said = await report(machine);
  const after = await machine.submitter();
  return { said, held: before.chain === after.chain && (await machine.spooled()).length > 0 };
}

const numberOf = async (machine: Machine) => (await machine.run('--json', 'status')).json()['answer_key'];

test('a host meets the new key, follows the rotation once, and goes on', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  t.like(await numberOf(machine), { number: 0, fingerprint: site.answerKey.id });
  site.answerKeys = rotated(site.answerKeys);
  for (let count = 0; count < 2; count++) {
    const said = await report(machine);
    t.is(said.status, 0, said.err);
  }
  t.is(asked(site), 1);
  t.deepEqual(await numberOf(machine), { number: 1, fingerprint: site.answerKeys.newest.key.id });
  t.regex((await machine.run('status')).out, /answer key {2}[\w-]{43} \(number 1\)/);
  t.is((await stat(machine.places.submit.answerKeys)).mode & 0o777, 0o600);
});

test('a host that cannot fetch the rotations is served by the key that it knows, until the overlap ends', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  const before = site.answerKeys;
  const cut = async ({ path }: { path: string }, next: () => Promise<Answered>) =>
    path === KEYS ? { status: 404, headers: {}, body: Buffer.alloc(0) } : next();
  site.meddle(cut);
  site.answerKeys = rotated(before);
  t.is((await report(machine)).status, 0);
  site.answerKeys = rotated(before, { madeAt: new Date(Date.now() - days(8)) });
  const { said, held } = await refusesToAct(machine);
  t.is(said.status, 75);
  t.regex(said.err, /by a key that this host does not know: the server answers 404/);
  t.true(held);
  site.meddle(undefined);
  t.is((await report(machine)).status, 0);
});

test('a host that was off through several rotations and their overlaps comes back by itself', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  for (const ago of [300, 200, 100]) {
    site.answerKeys = rotated(site.answerKeys, { madeAt: new Date(Date.now() - days(ago)) });
  }
  t.is((await report(machine)).status, 0);
  t.like(await numberOf(machine), { number: 3 });
});

test('once the overlap has ended, answers by the old key alone are refused', async (t) => {
  const site = await startSite(t);
  let later = 0;
  const machine = await enrolledMachine(t, site, { clock: { now: () => new Date(Date.now() + later) } });
  const old = site.answerKeys;
  site.answerKeys = rotated(old, { overlap: 60_000 });
  t.is((await report(machine)).status, 0);
  site.answerKeys = old;
  t.is((await report(machine)).status, 0, 'within the overlap both count');
  later = 61_000;
  const { said, held } = await refusesToAct(machine);
  t.is(said.status, 75);
  t.regex(said.err, /by a key that was replaced; this host knows number 1/);
  t.true(held);
  later = 0;
  t.is((await refusesToAct(machine)).said.status, 75, 'a clock that is set back does not bring it back');
});

test('a chain that forks changes nothing, is told, and is fetched whole only once', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  const old = site.answerKeys;
  const [ours, forked] = [1, 2].map(() => rotated(old, { madeAt: new Date(Date.now() - days(8)) }));
  if (ours === undefined || forked === undefined) return t.fail();
  site.answerKeys = ours;
  t.is((await report(machine)).status, 0);
  site.answerKeys = forked;
  const statuses: number[] = [];
  site.meddle(async ({ path }, next) => {
    const answered = await next();
    if (path === KEYS) statuses.push(answered.status);
    return answered;
  });
  for (let count = 0; count < 2; count++) {
    const { said, held } = await refusesToAct(machine);
    t.is(said.status, 75);
    t.regex(said.err, /the chain forks: there are two statements with number 1/);
    t.true(held);
  }
  t.deepEqual(statuses, [200, 304]);
  const told = await machine.run('--json', 'status');
  t.like(told.json()['answer_key'], { number: 1, fingerprint: ours.newest.key.id });
  t.regex(told.out, /showed answer keys that do not follow from the one that this host trusts: the chain forks/);
  site.answerKeys = rotated(ours);
  t.is((await report(machine)).status, 0);
  t.like(await numberOf(machine), { number: 2 });
});

const HOSTILE: Record<string, (answered: Answered) => Answered> = {
  'no JSON': (answered) => ({ ...answered, body: Buffer.from('<html>') }),
  'more than fits': (answered) => ({ ...answered, body: Buffer.alloc(300_000, 0x20) }),
  'more than any answer may hold': (answered) => ({ ...answered, body: Buffer.alloc(2_000_000, 0x20) }),
  'an unknown type': (answered) => ({
    ...answered,
    body: Buffer.from(answered.body.toString().replace('rotation-1', 'rotation-9')),
  }),
  'a signature of somebody else': (answered) => ({
    ...answered,
    body: Buffer.from(answered.body.toString().replace(/"signature":"..../, '"signature":"AAAA')),
  }),
};

for (const [what, alter] of Object.entries(HOSTILE)) {
  test(`${what} in place of the rotations changes nothing, and the right ones are taken afterwards`, async (t) => {
    const site = await startSite(t);
    const machine = await enrolledMachine(t, site);
    await report(machine);
    site.answerKeys = rotated(site.answerKeys, { madeAt: new Date(Date.now() - days(8)) });
    site.meddle(async ({ path }, next) => (path === KEYS ? alter(await next()) : next()));
    const { said, held } = await refusesToAct(machine);
    t.is(said.status, 75);
    t.true(held);
    t.like(await numberOf(machine), { number: 0 });
    site.meddle(undefined);
    // another one's body under the same ETag: what lies between may do that
    site.answerKeys = rotated(site.answerKeys);
    t.is((await report(machine)).status, 0);
    t.like(await numberOf(machine), { number: 2 });
  });
}

test('what was learned counts only as far as it follows from the pinned key; damaged, it is asked for again', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  site.answerKeys = rotated(site.answerKeys, { madeAt: new Date(Date.now() - days(8)) });
  await report(machine);
  const file = machine.places.submit.answerKeys;
  const foreign = rotated(onlyAnswerKey(loadSigningKey(generateSigningKey())));
  for (const text of [
    '',
    '{"rotations": 1',
    JSON.stringify({ pinned: site.answerKey.publicKey, rotations: foreign.rotations, refused: null }),
  ]) {
    await writeFile(file, text);
    t.like(await numberOf(machine), { number: 0 });
    t.is((await report(machine)).status, 0);
    t.like(await numberOf(machine), { number: 1 });
  }
});

test('a new token carries the present key; one from before the rotation still leads to it', async (t) => {
  const site = await startSite(t);
  const early = await site.token();
  site.answerKeys = rotated(site.answerKeys, { madeAt: new Date(Date.now() - days(8)) });
  const [late, machine, other] = [
    await site.token(),
    await newMachine(t),
    await newMachine(t, { hostname: 'otherhost' }),
  ];
  t.is((await machine.feed(late, 'enroll')).status, 0);
  t.is(asked(site), 0);
  t.like(JSON.parse(await readFile(machine.places.trust, 'utf8')), { answer_number: 1 });
  const said = await other.feed(early, 'enroll');
  t.is(said.status, 0, said.err);
  for (const one of [machine, other]) {
    t.is((await report(one)).status, 0);
    t.like(await numberOf(one), { number: 1 });
  }
  t.is(asked(site), 1);
});

test('a host that slept through a rotation knows its own server by a new token, and no other', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  const foreign = await startSite(t);
  site.answerKeys = rotated(site.answerKeys, { madeAt: new Date(Date.now() - days(8)) });
  foreign.answerKeys = rotated(foreign.answerKeys);
  const refused = await machine.feed(await foreign.token(), 'enroll');
  t.is(refused.status, 1);
  t.regex(refused.err, /this host is enrolled with .*--new-server/);
  const said = await machine.feed(await site.token(), '--json', 'enroll', '--new-key');
  t.is(said.status, 0, said.err);
  t.like(said.json(), { status: 'pending' });
});

test("a quiet host's day stays under 4 MB during an overlap too", async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site, { hostname: 'a-laptop-with-a-long-name.example.com' });
  site.answerKeys = rotated(rotated(rotated(site.answerKeys)));
  // from here on it says what it knows
  await report(machine);
  let answered = 0;
  site.meddle(async (_, next) => {
    const { status, headers, body } = await next();
    answered = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + String(value).length + 4, 17);
    answered += body.length;
    return { status, headers, body };
  });
  await report(machine);
  const request = site.passed.filter(({ path }) => path === SUBMIT).at(-1);
  const checkIn = (request?.bytes ?? Number.POSITIVE_INFINITY) + answered;
  t.log(`${request?.bytes} bytes there, ${answered} back`);
  // A resumed TLS connection takes less than 1,000 on top.
  t.true(1440 * (checkIn + 1000) < 4_000_000, `${checkIn} bytes`);
});

test('another server is not blamed for what the one before it showed', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  const other = await startSite(t);
  const former = site.answerKeys;
  site.answerKeys = rotated(former, { madeAt: new Date(Date.now() - days(8)) });
  await report(machine);
  site.answerKeys = rotated(former, { madeAt: new Date(Date.now() - days(8)) });
  await report(machine);
  t.regex((await machine.run('status')).out, /WRONG: the server showed answer keys/);
  t.is((await machine.feed(await other.token(), 'enroll', '--new-server')).status, 0);
  await report(machine);
  t.notRegex((await machine.run('status')).out, /WRONG/);
});

test('killed while it learns a new key, the agent knows the old one or the new one, and goes on', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  await machine.settings(`hostname: testhost\ncollectors: {disabled: ${SLOW}}\n`);
  const enrolled = await runAgent(['--state', machine.state, 'enroll'], { input: await site.token() });
  t.is(enrolled.status, 0, enrolled.err);
  let killed = 0;
  for (let round = 0; round < rounds(5, 100); round++) {
    site.answerKeys = rotated(site.answerKeys, { madeAt: new Date(Date.now() - days(8)) });
    site.meddle(undefined);
    await runAgent(['--state', machine.state, 'collect']);
    const { child, ended } = startAgent(['--state', machine.state, 'submit']);
    site.meddle(async ({ path }, next) => {
      const answered = await next();
      // from before the chain is there to after it was written
      if (path === KEYS) setTimeout(() => child.kill('SIGKILL'), round % 8);
      return answered;
    });
    if ((await ended).status === null) killed++;
    site.meddle(undefined);
    const said = await runAgent(['--state', machine.state, '--json', 'submit']);
    t.is(said.status, 0, said.err);
    t.like(JSON.parse(said.out), { waiting: 0 });
    t.like(await numberOf(machine), { number: round + 1 });
  }
  t.log(`${killed} killed`);
  t.true(killed > 0);
});
