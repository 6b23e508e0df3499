import test from 'ava';
import { getField, isFields, sameValue, setField, valueAt } from '../../src/core/value.ts';

test('a field named __proto__ is an own field like any other', (t) => {
  const fields = {};
  setField(fields, '__proto__', { a: 1 });
  t.deepEqual(Object.keys(fields), ['__proto__']);
  t.deepEqual(getField(fields, '__proto__'), { a: 1 });
  t.is(Object.getPrototypeOf(fields), Object.prototype);
  t.is(getField({}, 'constructor'), undefined);
});

test('a dotted path walks objects and lists, and never what is inherited', (t) => {
  const value = { plugins: { hd_encryption: [{ mountpoint: '/' }], at: new Date(0) } };
  t.is(valueAt(value, 'plugins.hd_encryption.0.mountpoint'), '/');
  t.is(valueAt(value, 'plugins.toString'), undefined);
  t.is(valueAt(value, 'plugins.at.getTime'), undefined);
});

test('values are the same whatever the order of keys, dates by the millisecond', (t) => {
  t.true(sameValue({ a: [1, { b: null }], c: new Date(5) }, { c: new Date(5), a: [1, { b: null }] }));
  t.false(sameValue({ a: 1 }, { a: 1, b: undefined as never }));
  t.false(sameValue([1, 2], [2, 1]));
  t.false(sameValue(new Date(5), 5));
  t.false(sameValue({}, []));
  t.false(sameValue({ toString: 1 }, { a: 1 }));
});

test('dates and lists are no fields', (t) => {
  t.true(isFields({}));
  for (const value of [null, [], new Date(), 'x', undefined]) t.false(isFields(value));
});
