import test from 'ava';
import { LEVEL_NAMES, loggedLines, logLine } from '../../src/agent/plugin-log.ts';

test('what is logged at any level is found again among all else on standard error', (t) => {
  const lines = LEVEL_NAMES.map((level) => logLine(level, `at ${level}`) ?? '');
  const told = loggedLines(`noise\n${lines.join('noise <3>\n')}<8>no level\n <4>indented\n<4\n`);
  t.deepEqual(told, LEVEL_NAMES.map((level) => `${level}: at ${level}`).slice(0, 8));
});

test('a message is one line, of a limited length, whatever is in it', (t) => {
  t.is(logLine('error', ' a\n<0>b\r\tc '), '<3>a <0>b c\n');
  t.is(logLine('error', 'x'.repeat(10_000))?.length, '<3>\n'.length + 500);
  t.is(loggedLines(`<3>${'x'.repeat(10_000)}`)[0]?.length, 'error: '.length + 500);
});

test('a word that is no level logs nothing', (t) => {
  for (const level of ['', '3', 'Error', 'constructor', 'toString']) t.is(logLine(level, 'x'), undefined, level);
});

test('of a flood of lines the first are told, and how many are left out', (t) => {
  const told = loggedLines('<6>again\n'.repeat(1000));
  t.deepEqual([told.length, told[20]], [21, 'warning: 980 more lines are left out']);
});
