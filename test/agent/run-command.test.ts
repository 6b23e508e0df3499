import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Command, runCommand } from '../../src/agent/run-command.ts';
import { scratchFolder } from '../support/scratch.ts';

const PATH = '/usr/bin:/bin';

function command(t: ExecutionContext, path: string, args: readonly string[] = []): Command {
  const ended = new AbortController();
  t.teardown(() => ended.abort());
  return { path, args, timeout: 5000, maxOutput: 4096, env: { PATH }, signal: ended.signal };
}

test('what cannot be run is told, however the system says so', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'file');
  await writeFile(file, '#!/bin/sh\n');
  const cases: [string, readonly string[], string][] = [
    ['/no/such/program', [], 'missing'],
    [join(file, 'below-a-file'), [], 'missing'],
    [folder, [], 'denied'],
    [file, [], 'denied'],
    ['/bin/true', ['a\0b'], 'denied'],
    ['/bin/true', ['x'.repeat(3_000_000)], 'denied'],
  ];
  for (const [path, args, problem] of cases) {
    const result = await runCommand(command(t, path, args));
    t.like(result, { code: null, problem, stdout: '' }, `${path} ${args.join(' ').slice(0, 20)}`);
  }
});

test('a flood is kept up to the limit, and ended', async (t) => {
  for (const redirected of ['', '>&2']) {
    const flood = command(t, '/bin/sh', ['-c', `head -c 1000000000 /dev/zero ${redirected}`]);
    const { problem, stdout, stderr } = await runCommand({ ...flood, timeout: 60_000 });
    t.deepEqual([problem, (stdout + stderr).length], ['too-much-output', 4096]);
  }
});

test('a command that has ended is not waited for because its child holds the pipes', async (t) => {
  const child = "setsid sh -c 'echo $$ >&2; exec sleep 600' & sleep 0.5; echo done";
  const { code, stdout, stderr } = await runCommand(command(t, '/bin/sh', ['-c', child]));
  process.kill(Number(stderr), 'SIGKILL');
  t.deepEqual([code, stdout], [0, 'done\n']);
});

test('a command that stops itself, or closes its outputs, is ended at its time limit', async (t) => {
  for (const script of ['kill -STOP $$', 'exec >&- 2>&-; exec sleep 600', "trap '' TERM INT HUP; sleep 600 & wait"]) {
    const result = await runCommand({ ...command(t, '/bin/sh', ['-c', script]), timeout: 200 });
    t.like(result, { code: null, problem: 'timed-out' }, script);
  }
});
