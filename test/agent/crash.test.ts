import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { newMachine } from './support/machine.ts';
import { runAgent, startAgent } from './support/program.ts';
import { SLOW } from './support/reporting-host.ts';
import { startSite } from './support/site.ts';

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
  await machine.settings(`hostname: testhost\ncollectors: {disabled: [${SLOW}]}\n`);
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
