import test from 'ava';
import fc from 'fast-check';
import { Context } from 'mingo/core';
import { $exists } from 'mingo/operators/query/element';
import { Query } from 'mingo/query';
import { compileQuery } from '../../src/audit/query.ts';
import { type Fields, setField, type Value } from '../../src/core/value.ts';

const MINGO = Context.init({ query: { $exists } });

test('whether something stands at a path is answered as the engine itself answers it', (t) => {
  const key = fc.constantFrom('a', 'b', '0', '1', 'constructor', 'toString', '__proto__', '');
  const value = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.constantFrom<Value>(null, false, 0, '', 'ab', new Date(0)),
      fc.array(tie('value'), { maxLength: 3 }),
      fields(tie('value')),
    ),
  })).value;
  const path = fc.array(fc.constantFrom('a', 'b', '0', '1', 'toString', 'getTime', 'length', ''), {
    minLength: 1,
    maxLength: 4,
  });
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(fields(value), path, fc.boolean(), (document, steps, wanted) => {
      const query = { [steps.join('.')]: { $exists: wanted } };
      const expected = new Query(query, { context: MINGO }).test(document);
      t.is(compileQuery(query).matches(document), expected);
      seen[`${expected}`] += 1;
    }),
    { numRuns: 2000 },
  );
  t.true(seen.true > 100 && seen.false > 100, JSON.stringify(seen));

  function fields(values: fc.Arbitrary<Value>): fc.Arbitrary<Fields> {
    return fc.array(fc.tuple(key, values), { maxLength: 4 }).map((pairs) => {
      const made: Fields = {};
      for (const [name, each] of pairs) setField(made, name, each);
      return made;
    });
  }
});
