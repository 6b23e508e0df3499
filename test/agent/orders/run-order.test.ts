import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { hasCode } from '../../../src/agent/has-code.ts';
import { readOrderState, writeOrderState } from '../../../src/agent/orders/order-state.ts';
import { readSiteManifest } from '../../../src/agent/orders/site-manifest.ts';
import { acceptedOrder, actorOn, type Content, targets } from '../support/accepted-order.ts';
import { type Machine, newMachine } from '../support/machine.ts';

const command = (machine: Machine, script: Content[string], timeout = 60) =>
  acceptedOrder(machine.places, { kind: 'command', ...targets, timeout }, { 'commands/job': script });

test('a child that outlives the script and holds its output open is not waited for', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const order = await command(machine, '#!/bin/sh\nsetsid sleep 20 &\necho begun\n', 10);
  await actor.act(order);
  t.like(await actor.report(order), { state: 'done', exit_status: 0, stdout: { text: 'begun\n' } });
});

test('a command that succeeds: output, status and duration are reported, and it is deleted', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const order = await command(machine, '#!/bin/sh\necho out; echo err >&2\n');
  await actor.act(order);
  const { duration_ms: duration, ...report } = await actor.report(order);
  t.like(report, {
    order: order.manifest.id,
    state: 'done',
    exit_status: 0,
    stdout: { text: 'out\n', bytes: 4, truncated: false },
    stderr: { text: 'err\n', bytes: 4, truncated: false },
  });
  t.is(typeof duration, 'number');
  t.deepEqual((await readdir(order.folder)).filter((name) => !name.startsWith('.')).sort(), [
    'order.json',
    'state.json',
  ]);
  t.deepEqual(
    (await actor.receipts()).map(({ event }) => event),
    ['started', 'done'],
  );
});

test('a command that fails is kept, and reported with its status and where it lies', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const order = await command(machine, '#!/bin/sh\necho half; exit 3\n');
  await actor.act(order);
  const kept = join(order.folder, 'commands/job');
  t.like(await actor.report(order), {
    state: 'failed',
    reason: 'exit status 3',
    exit_status: 3,
    stdout: { text: 'half\n' },
    steps: [`commands/job: kept as ${kept}, to be looked at`],
  });
  t.is((await stat(kept)).mode & 0o777, 0o700);
  t.like((await actor.receipts()).at(-1), { event: 'failed', detail: 'exit status 3' });
});

/** What commands do, and what their report says of it. */
const ENDS: Record<string, [script: Content[string], report: object]> = {
  'a signal ends it': [
    '#!/bin/sh\nkill -TERM $$\n',
    { state: 'failed', reason: 'SIGTERM ended it', signal: 'SIGTERM' },
  ],
  'its interpreter is missing': [
    '#!/no/such/program\n',
    { state: 'failed', reason: 'it, or the interpreter that it names, is missing' },
  ],
  'it writes bytes that are no text': [
    "#!/bin/sh\nprintf '\\377\\000'\n",
    { state: 'done', stdout: { base64: '/wA=', bytes: 2, truncated: false } },
  ],
  'it reads its standard input': [
    '#!/bin/sh\ncat; echo end\n',
    { state: 'done', stdout: { text: 'end\n', bytes: 4, truncated: false } },
  ],
  'it asks where it is, and what is in its environment': [
    '#!/bin/sh\npwd; env | sed s/=.*// | grep -v -x -e _ -e PWD -e OLDPWD -e SHLVL | sort\n',
    { state: 'done', stdout: { text: '/\nHOME\nPATH\nPENGUINDOME_ORDER\n', bytes: 30, truncated: false } },
  ],
};

for (const [what, [script, report]] of Object.entries(ENDS)) {
  test(`${what}: the report says so`, async (t) => {
    const machine = await newMachine(t);
    const actor = actorOn(machine.places);
    const order = await command(machine, script);
    await actor.act(order);
    t.like(await actor.report(order), report);
  });
}

test('of a flood of output the beginning is kept, and the report says that it was cut', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const order = await command(
    machine,
    "#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' x\nprintf '\\303\\244' | head -c 1 >&2\n",
  );
  await actor.act(order);
  const { state, stdout, stderr } = await actor.report(order);
  t.is(state, 'done');
  t.is(stdout?.text, 'x'.repeat(256 * 1024));
  t.like(stdout, { bytes: 3_000_000, truncated: true });
  t.like(stderr, { base64: 'ww==', truncated: false });
});

test('at the time limit all that a command started is ended, in whatever session it is', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const pids = join(machine.state, 'pids');
  const leaves = (how: string) => `${how} sh -c 'echo $$ >>${pids}; trap "" TERM; while :; do sleep 1; done' &\n`;
  const order = await command(machine, `#!/bin/sh\n${leaves('')}${leaves('setsid')}echo began\nwait; sleep 600\n`, 2);
  await actor.act(order);
  t.like(await actor.report(order), {
    state: 'failed',
    reason: 'it did not end within 2s',
    signal: 'SIGKILL',
    stdout: { text: 'began\n' },
  });
  const left = (await readFile(pids, 'utf8')).trim().split('\n').map(Number);
  t.is(left.length, 2);
  while (left.some(isAlive)) await sleep(20);
  t.pass();
});

test('a command whose copy was changed is not run', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const mark = join(machine.state, 'ran');
  const order = await command(machine, '#!/bin/sh\ntrue\n');
  await actor.act(order, { start: async () => undefined });
  await writeFile(join(order.folder, 'files', order.manifest.files[0]?.sha256 ?? ''), `#!/bin/sh\ntouch ${mark}\n`);
  await actor.run(order);
  const { state, reason = '' } = await actor.report(order);
  t.is(state, 'failed');
  t.regex(reason, /it is not what the order says/);
  await t.throwsAsync(stat(mark), { code: 'ENOENT' });
});

test('a command that was running when the machine went down is failed, and never run again', async (t) => {
  const machine = await newMachine(t);
  const mark = join(machine.state, 'ran');
  const order = await command(machine, `#!/bin/sh\necho x >>${mark}\n`);
  await writeOrderState(order.folder, {
    phase: 'running',
    boot: 'boot before',
    steps: [],
    ran: [],
    path: 'commands/job',
  });
  const actor = actorOn(machine.places);
  await actor.run(order);
  await t.throwsAsync(stat(mark), { code: 'ENOENT' });
  await actor.act(order);
  await actor.act(order);
  const report = await actor.report(order);
  t.is(report.state, 'failed');
  t.regex(report.reason ?? '', /^interrupted: the machine went down meanwhile; commands\/job may have done/);
  await t.throwsAsync(stat(mark), { code: 'ENOENT' });
});

test('a command that still runs is left alone, and is not run a second time beside itself', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const [mark, go] = [join(machine.state, 'ran'), join(machine.state, 'go')];
  const order = await command(machine, `#!/bin/sh\necho x >>${mark}\nuntil [ -e ${go} ]; do sleep 0.05; done\n`);
  await actor.act(order, { start: async () => undefined });
  const running = actor.run(order);
  while ((await readOrderState(order.folder))?.phase !== 'running') await sleep(10);
  await actor.act(order);
  t.like(await actor.report(order), { state: 'running' });
  await writeFile(go, '');
  await running;
  await actor.act(order);
  await actor.run(order);
  t.like(await actor.report(order), { state: 'done' });
  t.is(await readFile(mark, 'utf8'), 'x\n');
});

test('a run that is told to stop ends the command, and says that it was interrupted', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const mark = join(machine.state, 'pid');
  const order = await command(machine, `#!/bin/sh\necho $$ >${mark}\nexec sleep 600\n`);
  await actor.act(order, { start: async () => undefined });
  const stop = new AbortController();
  const running = actor.run(order, stop.signal);
  while ((await readFile(mark, 'utf8').catch(() => '')) === '') await sleep(10);
  stop.abort();
  await running;
  t.regex((await actor.report(order)).reason ?? '', /^interrupted/);
  t.false(isAlive(Number(await readFile(mark, 'utf8'))));
});

test('an order that cannot be started says so once, and is started by a later run', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const order = await command(machine, '#!/bin/sh\ntrue\n');
  const start = async () => {
    throw new Error('no bus');
  };
  await actor.act(order, { start });
  await actor.act(order, { start });
  t.like(await actor.report(order), { state: 'waiting', reason: 'no bus', number: 1 });
  await actor.act(order);
  t.like(await actor.report(order), { state: 'done' });
});

test('an order that has expired before it could be started is not started any more', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const order = await command(machine, '#!/bin/sh\ntrue\n');
  await actor.act(order, {
    start: async () => {
      throw new Error('no bus');
    },
  });
  const late = new Date(Date.parse(order.manifest.expires_at) + 1);
  await actor.act(order, { clock: { now: () => late }, start: async () => t.fail('it was started') });
  t.like(await actor.report(order), { state: 'failed', reason: 'it expired before it could be started: no bus' });
});

test('several commands share the room that a report has for output', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const flood = "#!/bin/sh\nhead -c 200000 /dev/zero | tr '\\0' x\n";
  const order = await acceptedOrder(
    machine.places,
    { kind: 'patch', ...targets, removed: [] },
    { 'commands/a': flood, 'commands/b': flood, 'commands/c': flood },
  );
  await actor.act(order);
  const { state, stdout } = await actor.report(order);
  t.is(state, 'done');
  t.true(stdout?.truncated);
  t.true((stdout?.text ?? '').length <= 256 * 1024);
});

test('commands that a patch brings are run once each, after it; each result is told by name', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const content = {
    'plugins/tool': '#!/bin/sh\necho 1\n',
    'commands/one': `#!/bin/sh\ncat ${machine.places.site.plugins}/tool | wc -l\n`,
    'commands/two': '#!/bin/sh\necho second; exit 4\n',
    'commands/zzz': '#!/bin/sh\necho never\n',
  };
  const order = await acceptedOrder(machine.places, { kind: 'patch', ...targets, removed: [] }, content);
  await actor.act(order);
  const report = await actor.report(order);
  t.is(report.reason, 'commands/two: exit status 4; 1 more were not run');
  t.is(report.stdout?.text, '==> commands/one <==\n2\n\n==> commands/two <==\nsecond\n\n');
  t.regex(
    (report.steps ?? []).join('\n'),
    /plugins\/tool: new\n[\s\S]*commands\/one: done, after \d+\.\d s\ncommands\/two: exit status 4, after/,
  );
  t.deepEqual(
    [await actor.site('commands/one'), await actor.site('commands/two')],
    [undefined, content['commands/two']],
  );
  t.deepEqual(Object.keys((await readSiteManifest(machine.places)).files).sort(), [
    'commands/two',
    'commands/zzz',
    'plugins/tool',
  ]);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}
