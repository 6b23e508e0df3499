import test from 'ava';
import { fitsPattern } from '../../src/core/name-pattern.ts';

const CASES: [hostname: string, pattern: string, fits: boolean][] = [
  ['penguin-07', 'penguin-07', true],
  ['penguin-07', 'penguin-*', true],
  ['penguin-', 'penguin-*', true],
  ['Penguin-07', 'penguin-??', true],
  ['penguin-007', 'penguin-??', false],
  ['a.penguin-07.example', '*.penguin-*.example', true],
  ['a.penguin-07.example.org', '*.penguin-*.example', false],
  ['penguinX07', 'penguin.07', false],
  ['anything', '*', true],
  ['anything', '', false],
  ['anything', '**y*g', true],
];

for (const [hostname, pattern, fits] of CASES) {
  test(`${hostname} ${fits ? 'fits' : 'does not fit'} '${pattern}'`, (t) => {
    t.is(fitsPattern(hostname, pattern), fits);
  });
}

test('a pattern made to take long does not', (t) => {
  t.false(fitsPattern('a'.repeat(253), `${'*a'.repeat(100)}b`));
});
