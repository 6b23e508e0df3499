import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { Collector } from '../../src/agent/collector.ts';
import { newMachine } from './support/machine.ts';

const collector = (name: string, collect: Collector['collect'], timeout = 10_000): Collector => ({
  name,
  describe: 'of a test',
  timeout,
  collect,
});

const good = collector('good', async () => ({ fine: true }));

async function resultsOf(machine: Awaited<ReturnType<typeof newMachine>>): Promise<Record<string, unknown>> {
  const said = await machine.run('--json', 'collect', '--show');
  const { list, bodies } = said.json();
  return Object.fromEntries(
    Object.entries(list ?? {}).map(([name, digest]) => [
      name.replace(/^plugins\./, ''),
      Object.entries(bodies ?? {}).find(([key]) => key === digest)?.[1],
    ]),
  );
}

test('a collector that throws, one that hangs and one that floods hurt no other', async (t) => {
  const machine = await newMachine(t, {
    collectors: [
      collector('throws', async () => {
        throw new Error('cannot look');
      }),
      collector('throws_at_once', () => {
        throw new TypeError('at once');
      }),
      collector('never', () => new Promise(() => {}), 50),
      collector('command', (host) => host.run('/bin/sleep', ['600']), 50),
      collector('floods', async () => 'x'.repeat(5 * 1024 * 1024)),
      collector('deep', async () => JSON.parse('['.repeat(100) + ']'.repeat(100))),
      collector('nothing', async () => undefined),
      good,
    ],
  });
  const results = await resultsOf(machine);
  t.deepEqual(results['good'], { fine: true });
  t.like(results['throws'], { returncode: 1, stdout: '', stderr: 'cannot look' });
  t.like(results['throws_at_once'], { returncode: 1, stderr: 'at once' });
  t.like(results['never'], { returncode: -9, reason: 'it did not end within 0s' });
  t.like(results['command'], { returncode: -9 });
  t.like(results['floods'], { reason: 'the result holds more than 4194304 bytes' });
  t.like(results['deep'], { reason: 'the result is nested more than 60 deep' });
  t.like(results['nothing'], { reason: 'the result is no JSON value' });
});

test('what a command leaves behind is killed with it', async (t) => {
  const mark = `6${Date.now() % 100_000_000}`;
  const machine = await newMachine(t, {
    collectors: [
      collector('leaves', (host) => host.run('/bin/sh', ['-c', `sleep ${mark} & sleep ${mark}`], { timeout: 200 })),
    ],
  });
  t.like((await resultsOf(machine))['leaves'], { code: null, problem: 'timed-out' });
  t.deepEqual(await commandLines(`sleep\0${mark}\0`), []);
});

test('plugins say JSON under their file name less the extension', async (t) => {
  const machine = await newMachine(t, { collectors: [good] });
  await machine.plugin('site.check.sh', '#!/bin/sh\necho "{\\"args\\": $#, \\"locale\\": \\"$LC_ALL\\"}"\n');
  t.deepEqual(await resultsOf(machine), { good: { fine: true }, 'site.check': { args: 0, locale: 'C' } });
});

test('files that others may write to, links out of the folder, backups and duplicates do not run', async (t) => {
  const machine = await newMachine(t, { collectors: [good] });
  const script = '#!/bin/sh\necho 1\n';
  await machine.plugin('fine.sh', script);
  await machine.plugin('fine.py', script);
  await machine.plugin('good', script);
  await machine.plugin('group', script, 0o775);
  await machine.plugin('world', script, 0o757);
  await machine.plugin('.hidden', script);
  await machine.plugin('backup~', script);
  const folder = join(await machine.plugin('notes.txt', 'no program', 0o644), '..');
  await symlink('fine.sh', join(folder, 'inside'));
  await symlink('/bin/true', join(folder, 'outside'));
  const listed = (await machine.run('--json', 'collectors', 'list')).json();
  t.deepEqual(
    JSON.parse(JSON.stringify(listed['collectors'])).map(({ name }: { name: string }) => name),
    ['good', 'fine', 'inside'],
  );
  const refused = JSON.stringify(listed['refused']);
  for (const reason of [
    'its group may write to it',
    'everybody may write to it',
    'it is a link out of its folder',
    'the name good is taken',
    'the name fine is taken',
  ]) {
    t.true(refused.includes(reason), `${reason} in ${refused}`);
  }
  // Those that were refused are told where their results would be (run-plugin.test.ts).
  const names = Object.keys(await resultsOf(machine)).sort();
  t.deepEqual(names, ['fine', 'good', 'group', 'inside', 'outside', 'world']);
});

test("a plugin under the server's own name does not run: the server would refuse the whole report", async (t) => {
  const machine = await newMachine(t, { collectors: [good] });
  await machine.plugin('submitted_at.sh', '#!/bin/sh\necho 1\n');
  const { refused } = (await machine.run('--json', 'collectors', 'list')).json();
  t.true(JSON.stringify(refused).includes("that name is the server's own"));
  t.deepEqual(Object.keys(await resultsOf(machine)), ['good']);
});

test('a plugin folder that others may write to gives no plugins at all', async (t) => {
  const machine = await newMachine(t, { collectors: [good] });
  const folder = join(await machine.plugin('fine', '#!/bin/sh\necho 1\n'), '..');
  await chmod(folder, 0o777);
  t.deepEqual(Object.keys(await resultsOf(machine)), ['good']);
});

test('a collector and a plugin that are switched off do not run', async (t) => {
  const machine = await newMachine(t, { collectors: [good, collector('other', async () => 1)] });
  await machine.plugin('mine', '#!/bin/sh\necho 1\n');
  await machine.plugin('good', '#!/bin/sh\necho \'"of the plugin"\'\n');
  await machine.settings('collectors: {disabled: [good]}\nplugins: {disabled: [mine]}\n');
  t.deepEqual(await resultsOf(machine), { good: 'of the plugin', other: 1 });
});

test('collectors run prints one result, and its exit status tells whether it failed', async (t) => {
  const machine = await newMachine(t, { collectors: [good] });
  await machine.plugin('fails', '#!/bin/sh\nexit 1\n');
  const said = await machine.run('collectors', 'run', 'good');
  t.deepEqual([said.status, said.json()], [0, { fine: true }]);
  t.is((await machine.run('collectors', 'run', 'fails')).status, 1);
  t.is((await machine.run('collectors', 'run', 'missing')).status, 2);
});

test('collect --show keeps nothing', async (t) => {
  const machine = await newMachine(t);
  const said = await machine.run('collect', '--show');
  t.like(said.json(), { hostname: 'testhost', chain: null });
  await t.throwsAsync(stat(machine.state), { code: 'ENOENT' });
});

test('each body is held once, however many reports are made of it', async (t) => {
  const machine = await newMachine(t);
  machine.facts['same'] = { text: 'x'.repeat(1000) };
  for (const n of [1, 2, 3]) {
    machine.facts['n'] = n;
    await machine.run('collect');
  }
  t.is((await machine.spooled()).length, 3);
  t.is((await readdir(machine.places.spool.bodies)).length, 2 + 3);
});

test('the folders have the modes that other users of the host rely on', async (t) => {
  const machine = await newMachine(t);
  await machine.run('collect');
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  const { state, spool, status } = machine.places;
  t.deepEqual([await mode(state), await mode(spool.root), await mode(spool.reports)], ['755', '750', '750']);
  const [id] = await machine.spooled();
  t.deepEqual([await mode(join(spool.reports, `${id}.json`)), await mode(status)], ['640', '644']);
});

test('past its size the spool drops the oldest reports, keeps the newest, and status says so', async (t) => {
  const machine = await newMachine(t);
  await machine.settings('spool: {max_size: 40K}\n');
  for (const n of [1, 2, 3, 4]) {
    machine.facts['big'] = `${n}`.repeat(15_000);
    await machine.run('collect');
  }
  t.is((await machine.spooled()).length, 2);
  t.is((await readdir(machine.places.spool.bodies)).length, 3);
  const status = (await machine.run('--json', 'status')).json();
  t.is(status['dropped'], 2);
  t.regex(JSON.stringify(status['problems']), /the spool was full: 2 reports were dropped/);
  machine.facts['big'] = 'y'.repeat(100_000);
  await machine.run('collect');
  t.is((await machine.spooled()).length, 1);
});

test('torn, foreign and unreadable files in the spool are set aside, and the rest goes on', async (t) => {
  const machine = await newMachine(t);
  await machine.run('collect');
  const { reports, aside } = machine.places.spool;
  const [kept] = await machine.spooled();
  const whole = await readFile(join(reports, `${kept}.json`), 'utf8');
  await writeFile(join(reports, '01a20a69-c7ee-76b9-b2b9-d7e7111e0401.json'), whole.slice(0, 100));
  await writeFile(join(reports, '01a20a69-c7ee-76b9-b2b9-d7e7111e0402.json'), whole);
  await writeFile(join(reports, 'notes.txt'), 'mine');
  await mkdir(join(reports, '01a20a69-c7ee-76b9-b2b9-d7e7111e0403.json'));
  await symlink('/etc/passwd', join(reports, '01a20a69-c7ee-76b9-b2b9-d7e7111e0404.json'));
  execFileSync('/usr/bin/mkfifo', [join(reports, '01a20a69-c7ee-76b9-b2b9-d7e7111e0405.json')]);
  const said = await machine.run('--json', 'collect');
  t.is(said.status, 0, said.err);
  t.is((await readdir(aside)).length, 6);
  t.is((await readdir(reports)).length, 2);
  t.true((await machine.spooled()).includes(kept ?? ''));
  t.regex((await machine.run('status')).out, /notes\.txt in the spool was not a name that a report has/);
});

test('acks are read as hostile: nothing but the ids of waiting reports counts', async (t) => {
  const machine = await newMachine(t);
  await machine.run('collect');
  const [first] = await machine.spooled();
  const { acks, spool } = machine.places;
  await mkdir(acks, { mode: 0o700 });
  const outside = join(machine.state, 'precious');
  await writeFile(outside, 'kept');
  await writeFile(join(acks, '..ok'), '');
  await writeFile(join(acks, 'precious.ok'), '');
  await symlink(outside, join(acks, `${first}.bad`));
  const said = await machine.run('collect');
  t.is(said.status, 0, said.err);
  t.is(await readFile(outside, 'utf8'), 'kept');
  const { reason } = JSON.parse(await readFile(join(spool.reports, `${first}.bad`), 'utf8'));
  t.regex(reason, /it is a symbolic link/);
  t.is((await machine.spooled()).length, 1);
});

test('a journal that is damaged costs nothing but what it remembered', async (t) => {
  const machine = await newMachine(t);
  await machine.run('collect');
  await writeFile(machine.places.spool.journal, '{');
  t.is((await machine.run('collect')).status, 0);
  t.is((await machine.spooled()).length, 2);
});

test('reports keep the order of their collection when the clock jumps back', async (t) => {
  let at = Date.now() + 86_400_000;
  const machine = await newMachine(t, { clock: { now: () => new Date(at) } });
  await machine.run('collect');
  at -= 2 * 86_400_000;
  await machine.run('collect');
  const numbers = new Map<string, number>();
  for (const id of await machine.spooled()) {
    const report = JSON.parse(await readFile(join(machine.places.spool.reports, `${id}.json`), 'utf8'));
    numbers.set(report.collected_at, report.number);
  }
  t.deepEqual(
    [...numbers.keys()].sort().map((time) => numbers.get(time)),
    [2, 1],
  );
});

test('a second collection waits for the first one to end', async (t) => {
  const machine = await newMachine(t);
  await machine.run('collect');
  const lock = machine.places.spool.lock;
  const holder = spawn('/usr/bin/flock', ['--exclusive', lock, 'sh', '-c', 'echo locked; sleep 2'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(holder.stdout, 'data');
  const said = await machine.run('collect');
  t.is(said.status, 0, said.err);
  await rm(lock);
});

/** Processes whose command line is this one. */
async function commandLines(wanted: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line === wanted);
}
