import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chown,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { nextDue } from '../../src/agent/next-due.ts';
import { hours, minutes } from '../../src/core/duration.ts';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { realClock } from '../support/world.ts';
import { type Machine, newMachine } from './support/machine.ts';
import { startSite } from './support/site.ts';

const run = promisify(execFile);

/** The script beside an agent that only says how it was started. */
async function ticker(t: ExecutionContext): Promise<(...args: string[]) => Promise<string>> {
  const folder = await scratchFolder(t);
  const script = join(folder, 'penguindome-tick');
  await copyFile('packaging/penguindome-tick', script);
  await writeFile(join(folder, 'penguindome-agent'), '#!/bin/sh\necho started "$#" "$@"\n', { mode: 0o755 });
  return async (...args) => {
    const { stdout, stderr } = await run(script, args, { env: {} });
    t.is(stderr, '');
    return stdout.trim();
  };
}

interface Ticking {
  machine: Machine;
  /** whether the script starts the agent for this command */
  starts(command: 'run' | 'submit'): Promise<boolean>;
}

/** An enrolled host that has just done all that was due. */
async function quietHost(t: ExecutionContext): Promise<Ticking> {
  const tick = await ticker(t);
  const machine = await newMachine(t);
  await machine.feed(await (await startSite(t)).token(), 'enroll');
  await machine.settings('collect_interval: 1d\nsubmit_interval: 4h\n');
  await ageSettings(machine);
  t.is((await machine.run('run')).status, 0);
  return {
    machine,
    starts: async (command) => (await tick('--state', machine.state, command)) !== '',
  };
}

/** Settings as old as those of most hosts: a file that is newer than the last run starts the agent. */
async function ageSettings({ places }: Machine): Promise<void> {
  const past = new Date(Date.now() - 60_000);
  const folder = dirname(places.settings);
  const below = (await readdir(folder, { recursive: true })).map((name) => join(folder, name));
  for (const path of [folder, ...below]) await utimes(path, past, past);
}

/** Writes the file anew, as the agent would have at another time. */
async function changeDue({ places }: Machine, change: (words: string[]) => string[]): Promise<void> {
  const words = (await readFile(places.due, 'utf8')).trim().split(' ');
  await writeFile(places.due, `${change(words).join(' ')}\n`);
}

test('after a run the agent is not started again until something is due', async (t) => {
  const { machine, starts } = await quietHost(t);
  t.false(await starts('run'));
  await changeDue(machine, ([boot = '', written = '']) => [boot, written, written, '9999999999']);
  t.true(await starts('run'));
});

test('before the first run the agent is started', async (t) => {
  const tick = await ticker(t);
  const folder = await scratchFolder(t);
  t.is(await tick('--state', folder, 'run'), `started 3 --state ${folder} run`);
  t.is(await tick('submit', '--state', `${folder}/a b`), `started 3 submit --state ${folder}/a b`);
});

test('what it does not understand goes to the agent as it is', async (t) => {
  const { machine } = await quietHost(t);
  const tick = await ticker(t);
  for (const args of [
    [],
    ['run', '--now'],
    ['run', 'submit'],
    ['run', '--json'],
    ['collect'],
    ['--help'],
    ['--state'],
    ['run', '--state'],
    ['--state', '', 'run'],
    ['--config', '', 'run'],
  ]) {
    const all = ['--state', machine.state, ...args];
    t.is(await tick(...all), ['started', all.length, ...all].join(' ').trim());
  }
});

test('once it is time to submit it is started, also where no report waits: it asks for orders then', async (t) => {
  const { machine, starts } = await quietHost(t);
  t.false(await starts('run'));
  t.true(await starts('submit'), 'whose timer knows when it is time');
  await changeDue(machine, ([boot = '', written = '', collect = '']) => [boot, written, collect, written]);
  t.true(await starts('run'));
});

/** What ExecCondition= learns: whether to start the unit. */
function asker(t: ExecutionContext, { state }: Machine): (command: string) => Promise<boolean> {
  return async (command) => {
    const asked = run(resolve('packaging/penguindome-tick'), ['--state', state, '--is-due', command], { env: {} });
    return asked.then(
      ({ stdout }) => t.is(stdout, ''),
      (error) => t.is(error.code, 1) && false,
    );
  };
}

test('a unit that asks is told by status whether to collect and to submit, and nothing is started', async (t) => {
  const machine = await newMachine(t);
  const isDue = asker(t, machine);
  t.true(await isDue('collect'), 'nobody has ever collected');
  await machine.feed(await (await startSite(t)).token(), 'enroll');
  await machine.settings('collect_interval: 1d\nsubmit_interval: 4h\n');
  await ageSettings(machine);
  t.is((await machine.run('collect')).status, 0);
  t.false(await isDue('collect'));
  t.true(await isDue('submit'), 'a report waits');
  t.is((await machine.run('submit')).status, 0);
  t.false(await isDue('submit'), 'none waits');

  machine.facts['os_info'] = { version: '13' };
  t.is((await machine.run('collect')).status, 0);
  t.false(await isDue('submit'), 'one waits, but it is not time yet');
  await machine.settings('collect_interval: 1s\nsubmit_interval: 1s\n');
  t.true(await isDue('submit'), 'settings are newer');
  t.true(await isDue('collect'));
  t.true(await isDue('other'), 'whatever is not clear is due');
});

test('a report that comes after a question for orders alone does not wait for submit_interval', async (t) => {
  const machine = await newMachine(t);
  const isDue = asker(t, machine);
  await machine.feed(await (await startSite(t)).token(), 'enroll');
  await machine.settings('collect_interval: 1d\nsubmit_interval: 4h\n');
  await ageSettings(machine);
  t.is((await machine.run('submit')).status, 0);
  t.false(await isDue('submit'), 'nothing waits');
  t.is((await machine.run('collect')).status, 0);
  t.true(await isDue('submit'));
  t.is((await machine.run('submit')).status, 0);
  t.false(await isDue('submit'), 'it has gone; the next one waits for its time');
  await setAge(machine.places.spool.journal, 0);
  t.false(await isDue('submit'));
});

test('a unit that asks is told to submit when something became of orders since the last run, however that ended', async (t) => {
  const { machine } = await restingHost(t);
  const isDue = asker(t, machine);
  // A report of the second before a run that finds none waiting would have that run followed by another one.
  await setAge(machine.places.spool.journal, 60);
  t.is((await machine.run('submit')).status, 0);
  const known = join(machine.places.results, 'known.json');
  await setAge(known, 60);
  t.false(await isDue('submit'));
  await rm(join(machine.places.inbox, 'told.json'), { force: true });
  await setAge(known, 0);
  t.true(await isDue('submit'), 'also where nothing was ever told');
});

test('what became of orders and could not be told is tried again after minutes, whatever submit_interval says', async (t) => {
  const { machine } = await restingHost(t);
  const { places } = machine;
  const settings = { collect_interval: hours(24), submit_interval: hours(4) };
  const left = async () => (await nextDue({ places, context: { clock: realClock } }, settings)).submit;
  t.true((await left()) > hours(3));
  await writeFile(join(places.results, 'known.json'), '{"version":1}');
  t.true((await left()) <= minutes(5));
});

/** An enrolled host that has just applied what there was, and whom no order waits for. */
async function restingHost(t: ExecutionContext) {
  const { machine } = await quietHost(t);
  await toldLongAgo(machine);
  t.is((await machine.run('apply')).status, 0);
  return { machine, isDue: () => asker(t, machine)('apply') };
}

/** What the server is told within the second before a run has that run followed by another one. */
async function toldLongAgo({ places }: Machine): Promise<void> {
  await setAge(join(places.inbox, 'told.json'), 60).catch(() => undefined);
}

test('a unit that asks is told to apply before the first time, and then not', async (t) => {
  const { machine } = await quietHost(t);
  await toldLongAgo(machine);
  await rm(machine.places.orders.due, { force: true });
  t.true(await asker(t, machine)('apply'));
  const said = await machine.run('apply');
  t.is(said.status, 0, said.err);
  t.false(await asker(t, machine)('apply'));
  await machine.run('apply');
  t.false(await asker(t, machine)('apply'));
  t.is(await (await ticker(t))('--state', machine.state, 'apply'), `started 3 --state ${machine.state} apply`);
});

/** Seconds ago; less than none: after this. */
async function setAge(path: string, seconds: number): Promise<void> {
  const time = new Date(Date.now() - seconds * 1000);
  await utimes(path, time, time);
}

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';

const TO_APPLY: Record<string, (machine: Machine) => Promise<unknown>> = {
  'an order lies in the inbox': ({ places }) => writeFile(join(places.inbox, `${ID}.json`), '{}'),
  'a link lies in the inbox': ({ places }) => symlink('/nowhere', join(places.inbox, `${ID}.json`)),
  'something about keys lies in the inbox': ({ places }) => writeFile(join(places.inbox, 'trust.json'), '{}'),
  'the server was told something': async ({ places }) => {
    await writeFile(join(places.inbox, 'told.json'), '{}');
    await setAge(join(places.inbox, 'told.json'), -1);
  },
  'policy.yml comes': ({ places }) => writeFile(places.policy, 'command_authorization: server\n'),
  "an operator's key is changed": async ({ places }) => {
    await mkdir(places.operators);
    await writeFile(join(places.operators, 'ann.asc'), '');
    await setAge(places.operators, 60);
    await setAge(dirname(places.operators), 60);
    await setAge(join(places.operators, 'ann.asc'), -1);
  },
  'the last run was cut off': ({ places }) => rm(places.orders.due),
  'the last run is a day ago': async ({ places }) => {
    const [boot, written] = (await readFile(places.orders.due, 'utf8')).split(' ');
    await writeFile(places.orders.due, `${boot} ${written} ${written} ${written}\n`);
  },
};

for (const [what, change] of Object.entries(TO_APPLY)) {
  test(`it is time to apply when ${what}`, async (t) => {
    const { machine, isDue } = await restingHost(t);
    t.false(await isDue());
    await change(machine);
    t.true(await isDue());
  });
}

test('it is time to apply when a policy that was there is changed', async (t) => {
  const { machine } = await restingHost(t);
  const { policy } = machine.places;
  const isDue = asker(t, machine);
  await writeFile(policy, '');
  await ageSettings(machine);
  t.is((await machine.run('apply')).status, 0);
  t.false(await isDue('apply'));
  await writeFile(policy, 'command_authorization: operator\n');
  await setAge(dirname(policy), 60);
  await setAge(policy, -1);
  t.true(await isDue('apply'));
});

test('it is not time to apply for what else lies in the inbox', async (t) => {
  const { machine, isDue } = await restingHost(t);
  for (const name of ['a'.repeat(64), `${'a'.repeat(64)}.part`, '.tmp-x.json', 'told.json']) {
    await writeFile(join(machine.places.inbox, name), '{}');
    await setAge(join(machine.places.inbox, name), 60);
  }
  t.false(await isDue());
});

test('it stays time to apply as long as an order waits, or none counts here', async (t) => {
  const { machine, isDue } = await restingHost(t);
  await writeFile(machine.places.policy, 'nonsense: [');
  t.not((await machine.run('apply')).status, 0);
  await ageSettings(machine);
  t.true(await isDue());
  await rm(machine.places.policy);
  await ageSettings(machine);
  t.is((await machine.run('apply')).status, 0);
  t.false(await isDue());
  await mkdir(join(machine.places.orders.root, ID));
  await machine.run('apply');
  t.true(await isDue());
});

test('an agent that cannot submit is started at each tick that its interval allows', async (t) => {
  const { machine, starts } = await quietHost(t);
  await writeFile(machine.places.trust, '{}');
  await machine.run('run', '--now');
  t.true(await starts('run'));
});

const CHANGES: Record<string, (machine: Machine) => Promise<unknown>> = {
  'agent.yml is edited': ({ places }) => writeFile(places.settings, 'collect_interval: 1h\n'),
  'agent.yml goes': ({ places }) => rm(places.settings),
  'a file comes into agent.d': async ({ places }) => {
    await mkdir(places.settingsFolder, { recursive: true });
    await writeFile(join(places.settingsFolder, '50-site.yml'), 'collect_interval: 1h\n');
  },
  'the host is enrolled anew': ({ places }) =>
    writeFile(`${places.trust}.new`, '').then(() => rename(`${places.trust}.new`, places.trust)),
};

for (const [what, change] of Object.entries(CHANGES)) {
  test(`it is started when ${what}`, async (t) => {
    const { machine, starts } = await quietHost(t);
    await change(machine);
    t.true(await starts('run'));
  });
}

test('it is started when a file of agent.d is edited', async (t) => {
  const { machine, starts } = await quietHost(t);
  const file = join(machine.places.settingsFolder, '50-site.yml');
  await writeFile(file, 'spool: {}\n');
  await ageSettings(machine);
  await machine.run('run');
  t.false(await starts('run'));
  await writeFile(file, 'collect_interval: 1h\n');
  t.true(await starts('run'));
});

const STRANGE: Record<string, (words: string[]) => string[]> = {
  'another boot': (words) => ['00000000-0000-0000-0000-000000000000', ...words.slice(1)],
  'a later time than now': ([boot = '', , collect = '', submit = '']) => [boot, '9999999999', collect, submit],
  'no numbers': ([boot = '']) => [boot, '0', '$(id)', 'x'],
  'a number too large for the shell': ([boot = '']) => [boot, '0', '9'.repeat(40), '9'.repeat(40)],
  'too few words': (words) => words.slice(0, 3),
  'too many words': (words) => [...words, '1'],
  nothing: () => [],
};

for (const [what, change] of Object.entries(STRANGE)) {
  test(`it is started when the file tells ${what}`, async (t) => {
    const { machine, starts } = await quietHost(t);
    await changeDue(machine, change);
    t.true(await starts('run'));
  });
}

test('a link in place of the file starts it', async (t) => {
  const { machine, starts } = await quietHost(t);
  await rename(machine.places.due, join(machine.state, 'elsewhere'));
  await symlink(join(machine.state, 'elsewhere'), machine.places.due);
  t.true(await starts('run'));
});

whenPresent(process.geteuid?.() === 0, 'a file of another user: root')(
  'a file of another user, or a folder of one, starts it',
  async (t) => {
    const { machine, starts } = await quietHost(t);
    for (const path of [machine.places.due, machine.state]) {
      const { uid, gid } = await lstat(path);
      await chown(path, 65534, 65534);
      t.true(await starts('run'), path);
      await chown(path, uid, gid);
      t.false(await starts('run'), path);
    }
  },
);

test('the built script starts the agent beside it', async (t) => {
  t.regex((await run(resolve('build/penguindome-tick'), ['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('a report that waits is submitted under the lock that the script took for the agent', async (t) => {
  const { machine } = await quietHost(t);
  await machine.run('collect');
  const { stdout } = await run(resolve('build/penguindome-tick'), ['--state', machine.state, 'submit']);
  t.regex(stdout, /^1 report handed over, 0 waiting/);
  await machine.run('collect');
  const holder = spawn('/usr/bin/flock', [machine.places.submit.lock, '/bin/sh', '-c', 'echo locked; exec cat']);
  t.teardown(() => holder.kill());
  await once(holder.stdout, 'data');
  const waits = run(resolve('build/penguindome-tick'), ['--state', machine.state, 'submit']);
  holder.stdin.end();
  t.regex((await waits).stdout, /^1 report handed over, 0 waiting/);
});

test('an open file that nobody has locked is not taken for the lock', async (t) => {
  const { machine } = await quietHost(t);
  await machine.run('collect');
  const { lock } = machine.places.submit;
  const holder = spawn('/usr/bin/flock', [lock, '/bin/sh', '-c', 'echo locked; exec cat']);
  t.teardown(() => holder.kill());
  await once(holder.stdout, 'data');
  const agent = ['-c', 'exec 3<"$1"; shift; exec "$@"', 'sh', lock, resolve('build/penguindome-agent')];
  const waits = run('/bin/sh', [...agent, '--state', machine.state, 'submit']);
  const early = await Promise.race([waits.then(() => true), sleep(1500, false)]);
  holder.stdin.end();
  t.false(early);
  t.regex((await waits).stdout, /^1 report handed over, 0 waiting/);
});
