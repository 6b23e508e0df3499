import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { newMachine } from '../support/machine.ts';
import { at, HOST_ID, keyOf, settingsOrder, sign } from '../support/orders.ts';

async function trusting(t: ExecutionContext, policy?: string, ...operators: string[]) {
  const machine = await newMachine(t);
  const { places } = machine;
  await mkdir(places.operators, { recursive: true, mode: 0o755 });
  const { fingerprint } = await keyOf('server');
  const server = {
    url: 'https://localhost:1',
    answer_key: `${'A'.repeat(43)}=`,
    order_key: fingerprint,
    host_id: HOST_ID,
  };
  await writeFile(places.trust, JSON.stringify(server));
  if (policy !== undefined) await writeFile(places.policy, policy);
  for (const name of operators) await writeFile(join(places.operators, `${name}.asc`), (await keyOf(name)).publicKey);
  return machine;
}

test('without rules it says what the defaults are', async (t) => {
  const machine = await trusting(t);
  const said = await machine.run('trust', 'show');
  t.is(said.status, 0, said.err);
  t.regex(said.out, /There is no .*policy\.yml; these are the defaults:/);
  t.regex(said.out, /its signature is enough/);
  t.regex(said.out, /No order needs a second approval/);
  t.regex(said.out, /Wipe by crypto-erase, homes, lock\./);
  t.regex(said.out, /No operator has a key of his own here/);
});

test('with rules it says who may do what', async (t) => {
  const rules = 'command_authorization: operator\nsecond_approval: [wipe]\nwipe:\n  homes: false\n';
  const machine = await trusting(t, rules, 'bob');
  const said = await machine.run('trust', 'show');
  t.is(said.status, 0, said.out);
  t.regex(said.out, /The server cannot order anything by itself/);
  t.regex(said.out, /These need the signatures of two operators: wipe\./);
  t.regex(said.out, /Wipe by crypto-erase, lock; switched off: homes\./);
  t.regex(said.out, new RegExp(`- bob {2}${(await keyOf('bob')).fingerprint}`));
  const { policy, operators } = JSON.parse((await machine.run('--json', 'trust', 'show')).out);
  t.deepEqual(policy, {
    command_authorization: 'operator',
    second_approval: ['wipe'],
    wipe: { 'crypto-erase': true, homes: false, lock: true },
  });
  t.is(operators[0].name, 'bob');
});

test('operators alone, and none there, is told as wrong', async (t) => {
  const machine = await trusting(t, 'command_authorization: operator\n');
  const said = await machine.run('trust', 'show');
  t.is(said.status, 1);
  t.regex(said.out, /WRONG: operators alone may order here, and none of .*operators can/);
});

const FAULTS: Record<string, [policy: string, says: RegExp]> = {
  'a key that is not known': ['wipes: {}\n', /policy\.yml:1: wipes: expected a known key, found an unknown one/],
  'a word that is not known': [
    'command_authorization: everybody\n',
    /policy\.yml:1: command_authorization: expected server .* or operator, found "everybody"/,
  ],
  'a kind that is not known': ['second_approval: [reboot]\n', /expected a kind of order \(command, patch/],
  'a switch that is none': ['wipe: {lock: "no"}\n', /wipe\.lock: expected boolean.*found "no"|wipe\.lock: expected/],
  'what is no YAML': ['a: [\n', /expected YAML/],
  'a list': ['- a\n', /expected a group of keys, found a list/],
  'an empty list': ['[]\n', /expected a group of keys, found a list/],
  'a list in place of switches': ['wipe: []\n', /policy\.yml:1: wipe: expected a group of keys, found a list/],
  'no switches behind the word': ['wipe:\n', /policy\.yml:1: wipe: expected/],
  'the same key twice': ['wipe: {}\nwipe: {lock: false}\n', /expected each key once/],
};

for (const [what, [policy, says]] of Object.entries(FAULTS)) {
  test(`rules with ${what} are told with file, line and key`, async (t) => {
    const machine = await trusting(t, policy);
    const said = await machine.run('trust', 'show');
    t.is(said.status, 1);
    t.regex(said.out, /WRONG: every order is refused/);
    t.regex(said.out, says);
    const status = JSON.parse((await machine.run('--json', 'status')).out);
    t.true(status.problems.some(({ code }: { code: string }) => code === 'orders-refused'));
  });
}

test('status says how many orders wait and were refused, and how orders are acted on', async (t) => {
  const machine = await trusting(t);
  await mkdir(machine.places.inbox, { recursive: true });
  await writeFile(
    join(machine.places.inbox, 'trust.json'),
    JSON.stringify({ first_order_key: (await keyOf('server')).publicKey }),
  );
  const times = { made_at: at(0), expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  const soon = new Date(Date.now() - 1000).toISOString();
  const waiting = settingsOrder({
    ...times,
    made_at: soon,
    not_before: new Date(Date.now() + 1_800_000).toISOString(),
  });
  const refused = settingsOrder({ ...times, made_at: soon });
  await writeFile(join(machine.places.inbox, `${waiting.id}.json`), JSON.stringify(await sign(waiting, 'server')));
  await writeFile(join(machine.places.inbox, `${refused.id}.json`), JSON.stringify(await sign(refused, 'stranger')));
  t.is((await machine.run('apply')).status, 0);
  const status = JSON.parse((await machine.run('--json', 'status')).out);
  t.like(status.orders, { waiting: 1, refused: 1, under_way: 0, receipts: 2 });
  const { out } = await machine.run('status');
  t.regex(out, /orders {6}0 under way, 1 waiting, 1 refused in the last 7 days; commands run as (units|processes)/);
  await writeFile(machine.places.receipts, '');
  const broken = JSON.parse((await machine.run('--json', 'status')).out);
  t.true(broken.problems.some(({ code }: { code: string }) => code === 'receipts'));
});
