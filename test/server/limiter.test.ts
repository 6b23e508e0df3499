import test from 'ava';
import fc from 'fast-check';
import { createSharedBudget } from '../../src/server/limiter.ts';

test('nobody gets more than a part of a shared budget, and what is given back may be taken again', (t) => {
  const budget = createSharedBudget(
    () => 100,
    () => 25,
  );
  const one = budget.of('192.0.2.1');
  t.true(one.take(20));
  t.false(budget.of('192.0.2.1').take(6), 'the same one, though asked for again');
  t.true(one.take(5));
  t.false(one.take(1));
  t.true(budget.of('192.0.2.2').take(25), 'there is room for others');
  one.give(25);
  t.true(budget.of('192.0.2.1').take(25));
});

test('the whole of a shared budget bounds all parts, and what is taken of the whole bounds them too', (t) => {
  const budget = createSharedBudget(
    () => 60,
    () => 25,
  );
  t.true(budget.take(30));
  t.true(budget.of('a').take(25));
  t.false(budget.of('b').take(6));
  t.true(budget.of('b').take(5));
  t.false(budget.of('c').take(1));
  budget.give(30);
  t.true(budget.of('c').take(25));
});

test('a part that is refused takes nothing', (t) => {
  const who = fc.constantFrom('a', 'b', 'c');
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.tuple(who, fc.integer({ min: 0, max: 40 }))), (takings) => {
        const budget = createSharedBudget(
          () => 100,
          () => 30,
        );
        const taken = takings.filter(([name, amount]) => budget.of(name).take(amount));
        for (const [name, amount] of taken) budget.of(name).give(amount);
        return ['a', 'b', 'c'].every((name) => budget.of(name).take(30)) && budget.take(10) && !budget.take(1);
      }),
    ),
  );
});
