import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { runCommandLine } from '../../../src/agent/command-line.ts';
import { unlock } from '../../../src/agent/wipe/unlock.ts';
import { goesOff, sentencesOf, type WipeDeps, wipe } from '../../../src/agent/wipe/wipe.ts';
import { within } from '../../../src/agent/wipe/within.ts';
import { WIPE_METHODS } from '../../../src/core/order.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { realClock, realRandom } from '../../support/world.ts';

test('a server that never answers, or fails to, keeps nothing from going on; one that answers is not waited for longer', async (t) => {
  await within(10, () => new Promise(() => undefined));
  await within(3_600_000, () => Promise.reject(new Error('no network')));
  let heard = false;
  await within(3_600_000, async () => {
    heard = true;
  });
  t.true(heard);
});

test('only a machine whose disks an erasure has begun on goes off', (t) => {
  t.true(goesOff('crypto-erase', true));
  t.false(goesOff('crypto-erase', false), 'it was refused');
  for (const begun of [true, false]) {
    t.false(goesOff('homes', begun));
    t.false(goesOff('lock', begun));
  }
});

for (const method of WIPE_METHODS) {
  test(`without root nothing of a wipe by ${method} is done, and nothing told as if it were`, async (t) => {
    const folder = join(await scratchFolder(t), 'wipe');
    const never = async () => t.fail();
    const deps: WipeDeps = {
      method,
      order: 'order-1',
      folder,
      own: [],
      clock: realClock,
      uid: 1000,
      signal: new AbortController().signal,
      steps: never,
      tellBefore: never,
      tellAfter: never,
    };
    t.deepEqual(await wipe(deps), { state: 'failed', reason: 'only root can wipe a machine', steps: [] });
    t.like(await unlock(deps), { state: 'failed' });
    t.false(existsSync(folder));
  });
}

test('what is told has room in a report, whatever it is made of', (t) => {
  const will = Array.from({ length: 2000 }, () => `x\n\u001b[2J${'y'.repeat(5000)}`);
  const sentences = sentencesOf({ method: 'homes', will, cannot: ['never told'] });
  t.is(sentences.length, 500);
  t.true(sentences.every((sentence) => sentence.length <= 1000 && !/[\u0000-\u001f]/.test(sentence)));
});

for (const [args, status, said] of [
  [['wipe-plan', 'homes'], 1, /run it as root/],
  [['wipe-plan', 'everything'], 2, /crypto-erase, homes, lock/],
  [['wipe-plan'], 2, /missing required argument/],
] as const) {
  test(`penguindome-agent ${args.join(' ')}, by somebody who is not root, says what is wrong`, async (t) => {
    let err = '';
    const context = {
      clock: realClock,
      random: realRandom,
      version: '0',
      uid: 1000,
      home: '/',
      hostname: 'testhost',
      environment: {},
      program: { pluginTool: '/none', node: process.execPath, agent: '/none' },
      collectors: async () => [],
      signal: new AbortController().signal,
      readInput: async () => '',
      inputIsTerminal: false,
      write: () => undefined,
      writeError: (text: string) => {
        err += text;
      },
    };
    t.is(await runCommandLine(context, ['--state', await scratchFolder(t), ...args]), status);
    t.regex(err, said);
  });
}
