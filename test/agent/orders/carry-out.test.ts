import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { carryOut } from '../../../src/agent/orders/carry-out.ts';
import { openResults } from '../../../src/agent/orders/results.ts';
import { realClock } from '../../support/world.ts';
import { acceptedOrder, actorOn, targets } from '../support/accepted-order.ts';
import { newMachine } from '../support/machine.ts';
import { runAgent } from '../support/program.ts';

test('a command is run by the program in a session of its own, which outlives whoever started it', async (t) => {
  const machine = await newMachine(t);
  const { places } = machine;
  const script = '#!/bin/sh\ncut -d" " -f6 /proc/$PPID/stat\nreadlink /proc/$PPID/cwd\n';
  const order = await acceptedOrder(places, { kind: 'command', ...targets, timeout: 60 }, { 'commands/job': script });
  await carryOut(order, {
    places,
    results: openResults(places, realClock),
    clock: realClock,
    uid: process.geteuid?.() ?? 0,
    home: homedir(),
    program: { pluginTool: '', agent: resolve('build/penguindome-agent'), node: process.execPath },
    signal: new AbortController().signal,
  });
  const path = join(places.results, `${order.manifest.id}.json`);
  while (!/"state":"(done|failed)"/.test(await readFile(path, 'utf8').catch(() => ''))) await sleep(50);
  const { state, stdout } = await actorOn(places).report(order);
  const [session, folder] = (stdout?.text ?? '').split('\n');
  const ours = (await readFile('/proc/self/stat', 'utf8')).split(' ')[5];
  t.is(state, 'done');
  t.not(session, ours);
  t.is(folder, '/');
});

test('only an order that was accepted is run', async (t) => {
  const { state } = await newMachine(t);
  for (const id of ['0199f3c2-0000-7000-8000-000000000000', '../inbox/x', '']) {
    const { status, err } = await runAgent(['--state', state, 'order-run', id]);
    t.is(status, 2, id);
    t.regex(err, /it was not accepted here/);
  }
});
