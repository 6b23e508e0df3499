import test from 'ava';
import fc from 'fast-check';
import { differences } from '../../src/core/differences.ts';
import { type Fields, isFields, setField, type Value } from '../../src/core/value.ts';
import { rounds } from '../support/soak.ts';

const AT = new Date('2026-03-02T10:00:00Z');

function changes(before: Fields | undefined, after: Fields) {
  return differences('laptop', before && { plugins: before }, { plugins: after }, AT).map(
    ({ hostname: _h, audited_at: _a, ...change }) => change,
  );
}

test('the first report of a host leaves no trail', (t) => {
  t.deepEqual(changes(undefined, { os_info: { version: '12' } }), []);
  t.deepEqual(differences('laptop', {}, { plugins: { os_info: { version: '12' } } }, AT), []);
});

test('a record carries the host, the time and the dotted path', (t) => {
  t.deepEqual(
    differences('laptop', { plugins: { os_info: { version: '12' } } }, { plugins: { os_info: { version: '13' } } }, AT),
    [{ hostname: 'laptop', audited_at: AT, key: 'plugins.os_info.version', type: 'change', old: '12', new: '13' }],
  );
});

test('a whole new object is recorded at the path where it begins', (t) => {
  t.deepEqual(changes({}, { sshd: { status: 'running', config: { port: '22' } } }), [
    { key: 'plugins.sshd', type: 'add', new: { status: 'running', config: { port: '22' } } },
  ]);
});

test('a whole object that is gone is recorded at the path where it began', (t) => {
  t.deepEqual(changes({ sshd: { status: 'running' } }, {}), [
    { key: 'plugins.sshd', type: 'delete', old: { status: 'running' } },
  ]);
});

test('a value that changes its type is a change, recorded whole', (t) => {
  t.deepEqual(changes({ geolocation: 'unknown' }, { geolocation: { lat: 1 } }), [
    { key: 'plugins.geolocation', type: 'change', old: 'unknown', new: { lat: 1 } },
  ]);
  t.deepEqual(changes({ a: null }, { a: {} }), [{ key: 'plugins.a', type: 'change', old: null, new: {} }]);
  t.deepEqual(changes({ a: [] }, { a: {} }), [{ key: 'plugins.a', type: 'change', old: [], new: {} }]);
});

test('a list is compared element by element and recorded whole', (t) => {
  const old = [
    { mountpoint: '/', encrypted: false },
    { mountpoint: '/home', encrypted: true },
  ];
  const now = [
    { mountpoint: '/', encrypted: true },
    { mountpoint: '/home', encrypted: true },
  ];
  t.deepEqual(changes({ hd: old }, { hd: now }), [{ key: 'plugins.hd', type: 'change', old, new: now }]);
  t.deepEqual(changes({ hd: old }, { hd: structuredClone(old) }), []);
  t.deepEqual(changes({ hd: [1, 2] }, { hd: [1, 2, 3] }), [
    { key: 'plugins.hd', type: 'change', old: [1, 2], new: [1, 2, 3] },
  ]);
});

test('keys that end in _at take no part, at any depth and in lists', (t) => {
  t.deepEqual(
    changes(
      { submitted_at: new Date(1), a: { cached_at: 1, list: [{ seen_at: 1, x: 1 }] } },
      { submitted_at: new Date(2), a: { list: [{ seen_at: 2, x: 1 }], checked_at: 3 } },
    ),
    [],
  );
});

test('keys that end in -encrypted compare by their hash', (t) => {
  const sealed = (hash: string, data: string) => ({ 'location-encrypted': { hash, data } });
  t.deepEqual(changes({ g: sealed('h1', 'one') }, { g: sealed('h1', 'two') }), []);
  t.deepEqual(changes({ g: sealed('h1', 'one') }, { g: sealed('h2', 'one') }), [
    {
      key: 'plugins.g.location-encrypted',
      type: 'change',
      old: { hash: 'h1', data: 'one' },
      new: { hash: 'h2', data: 'one' },
    },
  ]);
});

test('a key that ends in -encrypted without a hash compares as any other', (t) => {
  t.deepEqual(changes({ 'x-encrypted': { data: 'a' } }, { 'x-encrypted': { data: 'b' } }), [
    { key: 'plugins.x-encrypted.data', type: 'change', old: 'a', new: 'b' },
  ]);
});

test('a list of sealed values is equal by their hashes', (t) => {
  const list = (data: string) => ({ items: [{ 'a-encrypted': { hash: 'h', data } }] });
  t.deepEqual(changes({ p: list('one') }, { p: list('two') }), []);
});

test('dates are equal as instants', (t) => {
  t.deepEqual(changes({ a: new Date(5) }, { a: new Date(5) }), []);
  t.is(changes({ a: new Date(5) }, { a: new Date(6) }).length, 1);
  t.is(changes({ a: new Date(5) }, { a: {} }).length, 1);
});

test('a dot or backslash in a name is shown with a backslash before it', (t) => {
  t.deepEqual(changes({ 'a.b': { 'c\\d': 1 } }, { 'a.b': { 'c\\d': 2 } }), [
    { key: 'plugins.a\\.b.c\\\\d', type: 'change', old: 1, new: 2 },
  ]);
});

test('__proto__, constructor and $where are names like any other', (t) => {
  const old: Fields = {};
  const now: Fields = {};
  setField(old, '__proto__', { a: 1 });
  setField(now, '__proto__', { a: 2 });
  t.deepEqual(changes(old, now), [{ key: 'plugins.__proto__.a', type: 'change', old: 1, new: 2 }]);
  t.deepEqual(changes({}, now), [{ key: 'plugins.__proto__', type: 'add', new: { a: 2 } }]);
  t.deepEqual(changes({}, { constructor: 1, $where: 2 }), [
    { key: 'plugins.$where', type: 'add', new: 2 },
    { key: 'plugins.constructor', type: 'add', new: 1 },
  ]);
});

test('a part that the report does not carry is left as it is', (t) => {
  const before = { plugins: { a: 1 }, commands: { uptime: { output: '1' } } };
  t.deepEqual(differences('laptop', before, { plugins: { a: 1 } }, AT), []);
  t.deepEqual(
    differences('laptop', { plugins: { a: 1 } }, { commands: { uptime: { output: '1' } } }, AT).map(({ key }) => key),
    ['commands'],
  );
});

test('64 levels are followed down to the change', (t) => {
  const nested = (leaf: number): Value => Array.from({ length: 64 }).reduce<Value>((inner) => ({ k: inner }), leaf);
  const [change, ...others] = changes({ deep: nested(1) }, { deep: nested(2) });
  t.is(change?.key, `plugins.deep${'.k'.repeat(64)}`);
  t.is(others.length, 0);
});

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'x.y', '$where', '__proto__', 'constructor', 'seen_at', 's-encrypted'),
  fc.string({ maxLength: 4 }),
);
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Value>(null, true, false, 0, 1, '', 'unknown'),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('value'), { maxLength: 3 }),
    fieldsOf(tie('value')),
  ),
}));
function fieldsOf(values: fc.Arbitrary<Value>): fc.Arbitrary<Fields> {
  return fc.array(fc.tuple(name, values), { maxLength: 4 }).map((pairs) => {
    const fields: Fields = {};
    for (const [key, each] of pairs) setField(fields, key, each);
    return fields;
  });
}
const report = fieldsOf(value);

/** Another way to the same answer: the value less what takes no part, as text. */
function essence(of: Value): string {
  if (of instanceof Date) return `Date ${of.getTime()}`;
  if (Array.isArray(of)) return `[${of.map(essence).join()}]`;
  if (!isFields(of)) return JSON.stringify(of);
  const members = Object.entries(of).filter(([key]) => !key.endsWith('_at'));
  return `{${members
    .map(([key, each]) => {
      const hash = key.endsWith('-encrypted') && isFields(each) && Object.hasOwn(each, 'hash') && each['hash'];
      return `${JSON.stringify(key)}:${typeof hash === 'string' ? `#${hash}` : essence(each)}`;
    })
    .sort()
    .join()}}`;
}

test('there is a trail exactly where something that takes part changed', (t) => {
  fc.assert(
    fc.property(report, report, (old, now) => {
      t.is(changes(old, now).length === 0, essence(old) === essence(now));
    }),
    { numRuns: rounds(2000, 100_000) },
  );
});

test('the way back has the same paths, with adding and deleting, old and new swapped', (t) => {
  const swapped = { add: 'delete', delete: 'add', change: 'change' } as const;
  fc.assert(
    fc.property(report, report, (old, now) => {
      t.deepEqual(
        changes(old, now),
        changes(now, old).map((change) => ({
          key: change.key,
          type: swapped[change.type],
          ...('new' in change ? { old: change.new } : {}),
          ...('old' in change ? { new: change.old } : {}),
        })),
      );
    }),
  );
});

test('no path is recorded twice, and none below another', (t) => {
  fc.assert(
    fc.property(report, report, (old, now) => {
      const keys = changes(old, now).map(({ key }) => key);
      t.is(new Set(keys).size, keys.length);
      t.false(keys.some((key) => keys.some((other) => other.startsWith(`${key}.`))));
    }),
  );
});
