import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { vercmp } from '../../src/audit/vercmp.ts';
import { whenPresent } from '../support/needs.ts';

/** Of pacman's own test of vercmp (test/util/vercmptest.sh): older, newer; or equal where there is a third. */
const PAIRS: [a: string, b: string, expected: number][] = [
  ['1.5.0', '1.5.0', 0],
  ['1.5.1', '1.5.0', 1],
  ['1.5.1', '1.5', 1],
  ['1.5.0-1', '1.5.0-1', 0],
  ['1.5.0-1', '1.5.0-2', -1],
  ['1.5.0-1', '1.5.1-1', -1],
  ['1.5.0-2', '1.5.1-1', -1],
  ['1.5-1', '1.5.1-1', -1],
  ['1.5-2', '1.5.1-1', -1],
  ['1.5-2', '1.5.1-2', -1],
  ['1.5', '1.5-1', 0],
  ['1.5-1', '1.5', 0],
  ['1.1-1', '1.1', 0],
  ['1.0-1', '1.1', -1],
  ['1.1-1', '1.0', 1],
  ['1.5b-1', '1.5-1', -1],
  ['1.5b', '1.5', -1],
  ['1.5b-1', '1.5', -1],
  ['1.5b', '1.5.1', -1],
  ['1.0a', '1.0alpha', -1],
  ['1.0alpha', '1.0b', -1],
  ['1.0b', '1.0beta', -1],
  ['1.0beta', '1.0rc', -1],
  ['1.0rc', '1.0', -1],
  ['1.5.a', '1.5', 1],
  ['1.5.b', '1.5.a', 1],
  ['1.5.1', '1.5.b', 1],
  ['1.5.b-1', '1.5.b', 0],
  ['1.5-1', '1.5.b', -1],
  ['2.0', '2_0', 0],
  ['2.0_a', '2_0.a', 0],
  ['2.0a', '2.0.a', -1],
  ['2___a', '2_a', 1],
  ['0:1.0', '0:1.0', 0],
  ['0:1.0', '0:1.1', -1],
  ['1:1.0', '0:1.0', 1],
  ['1:1.0', '0:1.1', 1],
  ['1:1.0', '2:1.1', -1],
  ['1:1.0', '0:1.0-1', 1],
  ['1:1.0-1', '0:1.1-1', 1],
  ['0:1.0', '1.0', 0],
  ['0:1.0', '1.1', -1],
  ['0:1.1', '1.0', 1],
  ['1:1.0', '1.0', 1],
  ['1:1.0', '1.1', 1],
  ['1:1.1', '1.1', 1],
  ['10', '9', 1],
  ['1.010', '1.9', 1],
  ['20240101', '2024.01.01', 1],
  ['9'.repeat(40), `1${'0'.repeat(40)}`, -1],
];

for (const [a, b, expected] of PAIRS) {
  test(`${a} is ${['older than', 'as new as', 'newer than'][expected + 1]} ${b}`, (t) => {
    t.is(Math.sign(vercmp(a, b)), expected);
    t.is(Math.sign(vercmp(b, a)), 0 - expected);
  });
}

const run = promisify(execFile);
const PROGRAM = '/usr/bin/vercmp';
const real = whenPresent(existsSync(PROGRAM), 'vercmp (pacman-package-manager)');
const asked = async (a: string, b: string) => Math.sign(Number((await run(PROGRAM, [a, b])).stdout));

real("pacman's own vercmp says the same of all of these", async (t) => {
  for (const [a, b, expected] of PAIRS) t.is(await asked(a, b), expected, `${a} ${b}`);
});

real("pacman's own vercmp says the same of whatever looks like a version", async (t) => {
  t.timeout(120_000);
  const piece = fc.constantFrom(
    '0',
    '1',
    '01',
    '10',
    '9',
    'a',
    'b',
    'rc',
    'alpha',
    '.',
    '..',
    '_',
    '+',
    '-',
    ':',
    '~',
    '1.0',
    '-1',
    '2:',
  );
  const version = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
  // It reads what begins with a dash as an option.
  const plain = version.filter((text) => !text.startsWith('-'));
  await fc.assert(
    fc.asyncProperty(plain, plain, async (a, b) => {
      t.is(Math.sign(vercmp(a, b)), await asked(a, b), `${a} ${b}`);
    }),
    { numRuns: 500 },
  );
});

test('it is an order, whatever it is given', (t) => {
  const text = fc.string({ maxLength: 20 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      t.is(Math.sign(vercmp(a, a)), 0);
      t.true(Number.isFinite(vercmp(a, b)));
    }),
  );
});
