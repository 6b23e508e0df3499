import test from 'ava';
import { minutes, seconds } from '../../src/core/duration.ts';
import { createRateLimiter } from '../../src/server/rate-limiter.ts';

const T0 = new Date('2026-11-23T12:00:00Z').getTime();
const at = (offset: number) => new Date(T0 + offset);

test('an address gets its rate at once, then one again as time goes by', (t) => {
  const limiter = createRateLimiter(minutes(1));
  const waits = [1, 2, 3, 4].map(() => limiter.take('192.0.2.1', 3, at(0)).wait);
  t.deepEqual(waits, [0, 0, 0, seconds(20)]);
  t.is(limiter.take('192.0.2.1', 3, at(seconds(19))).wait, seconds(1));
  t.is(limiter.take('192.0.2.1', 3, at(seconds(20))).wait, 0);
  t.is(limiter.take('192.0.2.1', 3, at(seconds(20))).wait, seconds(20));
  t.is(limiter.take('192.0.2.2', 3, at(seconds(20))).wait, 0, 'another address has a bucket of its own');
});

test('however long it waited, no address gets more than its rate at once', (t) => {
  const limiter = createRateLimiter(minutes(1));
  limiter.take('192.0.2.1', 2, at(0));
  const waits = [1, 2, 3].map(() => limiter.take('192.0.2.1', 2, at(minutes(60))).wait);
  t.deepEqual(waits, [0, 0, seconds(30)]);
});

test('the first lack is told once, until the bucket was full again', (t) => {
  const limiter = createRateLimiter(minutes(1));
  const first = (offset: number) => limiter.take('192.0.2.1', 1, at(offset)).first;
  t.deepEqual([first(0), first(0), first(1), first(2)], [false, true, false, false]);
  t.deepEqual([first(minutes(2)), first(minutes(2))], [false, true]);
});

test('under a steady attack nothing more is told', (t) => {
  const limiter = createRateLimiter(minutes(1));
  const told = Array.from({ length: 600 }, (_, n) => limiter.take('192.0.2.1', 30, at(n * 100)).first);
  t.is(told.filter((first) => first).length, 1);
});

test('addresses of one /64 share a bucket, however they are written', (t) => {
  const limiter = createRateLimiter(minutes(1));
  const wait = (address: string) => limiter.take(address, 1, at(0)).wait;
  t.is(wait('2001:db8:0:1::1'), 0);
  for (const same of ['2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:0DB8:0000:0001::', '2001:db8:0:1::192.0.2.1']) {
    t.true(wait(same) > 0, same);
  }
  t.is(wait('2001:db8:0:2::1'), 0);
  t.is(wait('2001:db8::1'), 0);
  t.true(wait('2001:db8::2%eth0') > 0);
  t.is(wait('::1'), 0);
  t.true(wait('::2') > 0);
});

test('a clock that is set back neither gives nor takes', (t) => {
  const limiter = createRateLimiter(minutes(1));
  limiter.take('192.0.2.1', 1, at(0));
  t.is(limiter.take('192.0.2.1', 1, at(-minutes(60))).wait, minutes(1));
  t.is(limiter.take('192.0.2.1', 1, at(-minutes(59))).wait, 0);
});

test('memory is bounded: the longest unseen is forgotten', (t) => {
  const limiter = createRateLimiter(minutes(1), 2);
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) limiter.take(address, 1, at(0));
  t.true(limiter.take('192.0.2.3', 1, at(0)).wait > 0);
  t.is(limiter.take('192.0.2.1', 1, at(0)).wait, 0);
});
