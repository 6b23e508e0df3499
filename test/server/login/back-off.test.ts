import test from 'ava';
import { hours, minutes, seconds } from '../../../src/core/duration.ts';
import { createBackOff, type Outcome } from '../../../src/server/login/back-off.ts';

function prepare(most?: number) {
  const backOff = createBackOff(most);
  let now = Date.parse('2026-11-23T12:00:00Z');
  const admit = (address: string, user = 'fred') => backOff.admit({ address, user }, new Date(now));
  const settle = (address: string, outcome: Outcome, user = 'fred') =>
    backOff.settle({ address, user }, outcome, new Date(now));
  return {
    admit,
    settle,
    pass: (duration: number) => {
      now += duration;
    },
    /** @returns the wait, where it may not be tried */
    attempt: (address: string, outcome: Outcome, user = 'fred') => {
      const { wait } = admit(address, user);
      if (wait === 0) settle(address, outcome, user);
      return wait;
    },
  };
}

test('an address may fail ten times; then the pauses double, up to a quarter of an hour', (t) => {
  const { attempt, admit, pass } = prepare();
  // Each with another user: of them nothing is kept up here.
  for (let count = 0; count < 10; count++) t.is(attempt('192.0.2.1', 'failed', `u${count}`), 0);
  const waits: number[] = [];
  for (let count = 0; count < 12; count++) {
    const { wait } = admit('192.0.2.1', `v${count}`);
    waits.push(wait);
    pass(wait);
    attempt('192.0.2.1', 'failed', `v${count}`);
  }
  t.deepEqual(waits.slice(0, 5), [1, 2, 4, 8, 16].map(seconds));
  t.is(waits.at(-1), minutes(15));
  t.is(attempt('192.0.2.2', 'failed', 'x'), 0, 'another address');
});

test('a user may fail five times, from wherever; its pauses end at a minute, so that its owner is not kept out', (t) => {
  const { attempt, admit, pass } = prepare();
  for (let count = 0; count < 5; count++) t.is(attempt(`192.0.2.${count}`, 'failed'), 0);
  const waits: number[] = [];
  for (let count = 0; count < 9; count++) {
    const { wait } = admit(`198.51.100.${count}`);
    waits.push(wait);
    pass(wait);
    t.is(attempt(`198.51.100.${count}`, 'failed'), 0);
  }
  t.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60].map(seconds));
  t.is(attempt('192.0.2.9', 'failed', 'mary'), 0, 'another user');
});

test('addresses of one /64 are one', (t) => {
  const { attempt } = prepare();
  for (let count = 0; count < 10; count++) t.is(attempt(`2001:db8::${count}`, 'failed', `u${count}`), 0);
  t.is(attempt('2001:db8::ffff:1', 'failed', 'x'), seconds(1));
  t.is(attempt('2001:db8:0:1::1', 'failed', 'y'), 0);
});

test('where a user has come in before, what others fail does not keep it out, until it fails there itself', (t) => {
  const { attempt, pass } = prepare();
  t.is(attempt('192.0.2.7', 'passed'), 0);
  for (let count = 0; count < 5; count++) attempt(`198.51.100.${count}`, 'failed');
  t.true(attempt('198.51.100.9', 'failed') > 0);
  t.is(attempt('192.0.2.7', 'passed'), 0);
  t.is(attempt('192.0.2.7', 'failed'), 0);
  t.true(attempt('192.0.2.7', 'passed') > 0);
  pass(minutes(1));
  t.is(attempt('192.0.2.7', 'passed'), 0);
});

test('an account that is good gives an address no more attempts at others', (t) => {
  const { attempt } = prepare();
  for (let count = 0; count < 10; count++) {
    t.is(attempt('192.0.2.1', 'passed', 'own'), 0);
    t.is(attempt('192.0.2.1', 'failed', `u${count}`), 0);
  }
  t.true(attempt('192.0.2.1', 'failed', 'x') > 0);
});

test('many at once are not all free: beyond those that are, one begins when the other has ended', (t) => {
  const { admit, settle, pass } = prepare();
  for (let count = 0; count < 5; count++) admit('192.0.2.1');
  for (let count = 0; count < 5; count++) settle('192.0.2.1', 'failed');
  pass(seconds(1));
  t.is(admit('192.0.2.1').wait, 0);
  t.is(admit('192.0.2.1').wait, seconds(1));
  settle('192.0.2.1', 'abandoned');
  t.is(admit('192.0.2.1').wait, 0, 'what was not looked at has not failed');
  pass(seconds(31));
  t.is(admit('192.0.2.1').wait, 0, 'its process has ended');
});

test('the first that is turned away in a pause is told of, the others are not', (t) => {
  const { attempt, admit, pass } = prepare();
  for (let count = 0; count < 5; count++) attempt('192.0.2.1', 'failed');
  t.deepEqual(
    [admit('192.0.2.1'), admit('192.0.2.1')].map(({ first }) => first),
    [true, false],
  );
  pass(seconds(1));
  attempt('192.0.2.1', 'failed');
  t.true(admit('192.0.2.1').first);
});

test('what failed an hour ago is forgotten; a clock that is set back makes no pause longer', (t) => {
  const { attempt, admit, pass } = prepare();
  for (let count = 0; count < 5; count++) attempt('192.0.2.1', 'failed');
  pass(-hours(24));
  t.true(admit('192.0.2.1').wait <= minutes(1));
  pass(hours(24) + hours(1) + 1);
  for (let count = 0; count < 5; count++) t.is(attempt('192.0.2.1', 'failed'), 0);
});

test('no more are remembered than there is room for', (t) => {
  const { attempt } = prepare(3);
  for (let count = 0; count < 5; count++) attempt('192.0.2.1', 'failed');
  t.true(attempt('192.0.2.1', 'failed') > 0);
  for (let count = 0; count < 4; count++) attempt(`198.51.100.${count}`, 'failed', `u${count}`);
  t.is(attempt('192.0.2.1', 'failed'), 0);
});
