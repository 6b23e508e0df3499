import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import type { Collector } from '../../src/agent/collector.ts';
import { type Machine, newMachine } from './support/machine.ts';

const good: Collector = { name: 'good', describe: 'of a test', timeout: 10_000, collect: async () => ({ fine: true }) };

/** What plugins print, in shell, and the failure that their result must be. */
const BAD: Record<string, [script: string, expected: object]> = {
  truncated: [`printf '{"a": [1, 2'`, { returncode: 0, reason: 'the output is not JSON', stdout: '{"a": [1, 2' }],
  empty: [':', { returncode: 0, reason: 'the output is not JSON' }],
  words: ['echo all is well', { returncode: 0, reason: 'the output is not JSON' }],
  two_values: ['echo 1; echo 2', { returncode: 0, reason: 'the output is not JSON' }],
  binary: ['head -c 1000 /dev/urandom', { returncode: 0, reason: 'the output is not JSON' }],
  nul: [`printf '"a\\000b"'`, { returncode: 0, reason: 'the output is not JSON' }],
  enormous: [
    `printf '"'; head -c 5000000 /dev/zero | tr '\\0' x; printf '"'`,
    { returncode: 0, reason: 'the result holds more than 4194304 bytes' },
  ],
  deep: [
    `head -c 100000 /dev/zero | tr '\\0' '['; head -c 100000 /dev/zero | tr '\\0' ']'`,
    { returncode: 0, reason: 'the result is nested more than 60 deep' },
  ],
  many_keys: [
    `echo '{"":0'; seq 30000 | sed 's/.*/,"&":0/'; echo '}'`,
    { returncode: 0, reason: 'the result has more than 20000 keys' },
  ],
  gigabyte: ['head -c 1000000000 /dev/zero', { returncode: -9, reason: 'it wrote more than 8388608 bytes' }],
  gigabyte_of_errors: ['head -c 1000000000 /dev/zero >&2; echo 1', { returncode: -9 }],
  hangs: ['sleep 600', { returncode: -9, reason: 'it did not end within 3s' }],
  hangs_silently: ['exec >&- 2>&-; sleep 600', { returncode: -9, reason: 'it did not end within 3s' }],
  stops: ['kill -STOP $$', { returncode: -9, reason: 'it did not end within 3s' }],
  ignores_signals: ["trap '' TERM HUP INT; sleep 600 & wait", { returncode: -9, reason: 'it did not end within 3s' }],
  ends_itself: ['kill -9 $$', { returncode: -9, reason: 'a signal ended it' }],
  fails: ['echo out; echo err >&2; exit 3', { returncode: 3, stdout: 'out\n', stderr: 'err\n' }],
};

test('whatever a plugin does, its own result says so in time, and no other is harmed', async (t) => {
  const machine = await newMachine(t, { collectors: [good] });
  await machine.settings('plugins: {timeout: 3s, max_output: 8M}\n');
  for (const [name, [script]] of Object.entries(BAD)) await machine.plugin(`${name}.sh`, `#!/bin/sh\n${script}\n`);
  await machine.plugin('zz_last.sh', '#!/bin/sh\necho \'{"fine": true}\'\n');
  const results = await resultsOf(machine);
  for (const [name, [, expected]] of Object.entries(BAD)) t.like(results[name], expected, name);
  t.deepEqual([results['good'], results['zz_last']], [{ fine: true }, { fine: true }]);
  const bytes = JSON.stringify(results).length;
  t.true(bytes < Object.keys(BAD).length * 3 * 64 * 1024, `${bytes} bytes`);
});

test('what is not UTF-8 in the output of a plugin is told as U+FFFD', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  await machine.plugin('bytes', `#!/bin/sh\nprintf '"\\377\\376"'\n`);
  t.deepEqual(await resultsOf(machine), { bytes: '\ufffd\ufffd' });
});

test('what may not be run is told as its result, once, and the others run', async (t) => {
  const machine = await newMachine(t, { collectors: [good] });
  const folder = dirname(await machine.plugin('fine.sh', '#!/bin/sh\necho 1\n'));
  await machine.plugin('not_executable.sh', '#!/bin/sh\necho 1\n', 0o644);
  await machine.plugin('README.txt', 'Plugins of this site.\n', 0o644);
  await machine.plugin('shared.sh', '#!/bin/sh\necho 1\n', 0o757);
  await machine.plugin('no_program', '\u007fELF and nothing else');
  await machine.plugin('headless.sh', '#!/no/such/interpreter\n');
  await symlink('/bin/true', join(folder, 'outside'));
  await symlink('/no/such/file', join(folder, 'dangling'));
  await symlink('/bin/true', join(folder, 'good'));
  await mkdir(join(folder, 'folder'));
  const results = await resultsOf(machine);
  t.deepEqual(Object.keys(results).sort(), [
    ...['dangling', 'fine', 'good', 'headless', 'no_program', 'not_executable', 'outside', 'shared'],
  ]);
  t.deepEqual([results['fine'], results['good']], [1, { fine: true }]);
  t.like(results['not_executable'], { returncode: 126, stdout: '', reason: 'it is not executable' });
  t.like(results['outside'], { returncode: 126, reason: 'it is a link out of its folder' });
  t.like(results['dangling'], { returncode: 126 });
  t.like(results['shared'], { returncode: 126, reason: 'everybody may write to it' });
  t.like(results['no_program'], { returncode: 127 });
  t.like(results['headless'], { returncode: 127 });
  const { failed, refused } = (await machine.run('--json', 'collect')).json();
  t.deepEqual(namesOf(failed), ['headless', 'no_program']);
  t.deepEqual(
    namesOf(refused).map((path) => path.slice(folder.length + 1)),
    ['dangling', 'good', 'not_executable.sh', 'outside', 'shared.sh'],
  );
  await machine.settings('plugins: {disabled: [outside]}\n');
  t.false('outside' in (await resultsOf(machine)));
});

test('the name of one that may not be run is free for another', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  await machine.plugin('same.sh', '#!/bin/sh\necho 1\n', 0o644);
  await machine.plugin('same.py', '#!/bin/sh\necho 2\n');
  t.deepEqual(await resultsOf(machine), { same: 2 });
});

test('what a plugin leaves running in its process group is ended with it; what went elsewhere holds nobody up', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  const pids = join(machine.state, 'pids');
  await mkdir(machine.state, { recursive: true });
  const leaves = (how: string) => `${how} sh -c 'echo $$ >>${pids}; exec sleep 600' &\n`;
  await machine.plugin('forks.sh', `#!/bin/sh\n${leaves('')}${leaves('setsid')}sleep 0.5\necho '"forked"'\n`);
  t.deepEqual(await resultsOf(machine), { forks: 'forked' });
  const left = (await readFile(pids, 'utf8')).trim().split('\n').map(Number);
  t.is(left.length, 2);
  const running = await Promise.all(left.map(isRunning));
  const alive = left.filter((_, index) => running[index]);
  for (const pid of alive) process.kill(pid, 'SIGKILL');
  t.is(alive.length, 1);
});

test('a plugin reads in its environment who it is and where its own folder is, and nothing of the caller', async (t) => {
  const machine = await newMachine(t, { collectors: [], environment: { LEAKED: 'yes' } });
  const vars = ['PLUGIN', 'VERSION', 'STATE_DIRECTORY', 'TOOL'].map((name) => `$PENGUINDOME_${name}`);
  await machine.plugin(
    'who.am.i.sh',
    `#!/bin/sh\necho "[\\"${vars.join('\\", \\"')}\\", \\"$LEAKED\\", \\"$LC_ALL\\"]"\n`,
  );
  await machine.run('collect');
  const [name, version, state, tool, ...rest] = JSON.parse(await bodyIn(machine));
  t.deepEqual([name, version, state], ['who.am.i', '0.0.0-test', join(machine.state, 'plugins/who.am.i/state')]);
  t.regex(tool, /\/penguindome-plugin-tool$/);
  t.deepEqual(rest, ['', 'C']);
});

test('where a plugin has no place for its state, its own result says so', async (t) => {
  const machine = await newMachine(t, { collectors: [good] });
  await machine.plugin('fine.sh', '#!/bin/sh\necho 1\n');
  await machine.run('collect');
  await rm(join(machine.state, 'plugins/fine'), { recursive: true });
  await writeFile(join(machine.state, 'plugins/fine'), '');
  const { failed } = (await machine.run('--json', 'collect')).json();
  t.regex(JSON.stringify(failed), /"name":"fine","reason":"cannot give it a place for its state: .*it is no folder"/);
});

test('lines that a plugin logs are shown with its name, up to a limit, and steer no terminal', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  await machine.plugin(
    'talks.sh',
    "#!/bin/sh\nprintf 'noise\\n<4>it is \\033[31mhot\\n' >&2\nseq -f '<6>line %g' 30 >&2\necho 1\n",
  );
  const { err } = await machine.run('collect');
  const lines = err.split('\n').filter((line) => line.startsWith('talks: '));
  t.deepEqual([lines[0], lines.length], ['talks: warning: it is  [31mhot', 21]);
  t.is(lines[20], 'talks: warning: 11 more lines are left out');
  t.false(err.includes('noise'));
});

async function resultsOf(machine: Machine): Promise<Record<string, unknown>> {
  const { list, bodies } = (await machine.run('--json', 'collect', '--show')).json();
  const digests: [string, unknown][] = Object.entries(list ?? {});
  const texts = new Map<unknown, unknown>(Object.entries(bodies ?? {}));
  return Object.fromEntries(digests.map(([name, digest]) => [name.replace(/^plugins\./, ''), texts.get(digest)]));
}

/** The only body of the only report. */
async function bodyIn({ places, spooled }: Machine): Promise<string> {
  const [id] = await spooled();
  const { list } = JSON.parse(await readFile(join(places.spool.reports, `${id}.json`), 'utf8'));
  return readFile(join(places.spool.bodies, String(Object.values(list)[0])), 'utf8');
}

function namesOf(told: unknown): string[] {
  return Array.isArray(told) ? told.map(({ name }) => String(name)) : [];
}

/** One that has ended and waits for its parent has no command line any more. */
async function isRunning(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== '';
}
