import test from 'ava';
import fc from 'fast-check';
import { escapeKey, escapeKeys, mapValue, unescapeKey } from '../../src/store/escape.ts';
import { fromText, plainFields, readText, toText, writeText } from '../../src/store/portable.ts';
import { rounds } from '../support/soak.ts';

const comesBack = test.macro({
  exec: (t, key: string) => {
    const escaped = escapeKey(key);
    t.is(unescapeKey(escaped), key);
    t.false(/^\$|[.\0]|^__proto__$|^_bsontype$|^$/.test(escaped), 'a store could stumble over it');
  },
  title: (_, key) => `the key ${JSON.stringify(key)} is escaped and comes back`,
});

for (const key of [
  '$',
  '$where',
  '.',
  'a.b',
  '..',
  '\0',
  'a\0.$',
  '__proto__',
  '_bsontype',
  '',
  '\u241b',
  '\u241b24',
  '\u241b1b24',
  '$$.\u241b',
]) {
  test(comesBack, key);
}

test('any key comes back, and no two become one', (t) => {
  const key = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('$', '.', '\0', '\u241b', '2', '4', 'e', '_') }),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(key, key, (a, b) => {
        const [first, second] = [escapeKey(a), escapeKey(b)];
        return unescapeKey(first) === a && (a === b) === (first === second);
      }),
      { numRuns: rounds(1000, 100_000) },
    ),
  );
});

for (const key of ['hostname', 'a$b', '_id', 'proto', 'constructor', 'bsontype', 'ключ', 'a b']) {
  test(`an ordinary key such as ${key} is stored as it is`, (t) => t.is(escapeKey(key), key));
}

for (const key of ['\u241bzz', 'x\u241b2', '$old', 'old.key']) {
  test(`the key ${key} of an original database, never escaped, is read as it is`, (t) => t.is(unescapeKey(key), key));
}

test('keys are escaped at any depth, in lists too', (t) => {
  const value = JSON.parse('{"a":[{"$x":{"b.c":[[{"__proto__":1}]]}}]}');
  t.deepEqual(escapeKeys(value), JSON.parse('{"a":[{"\u241b24x":{"b\u241b2ec":[[{"\u241b5f_proto__":1}]]}}]}'));
});

test('values with dates, tags and odd keys survive the text form', (t) => {
  const value = {
    at: new Date('2026-11-23T10:00:00.123Z'),
    $date: '2026-11-23T10:00:00.123Z',
    list: [{ 'a.b': null }],
    n: -0.5,
  };
  t.deepEqual(readText(writeText(value)), value);
});

test('any JSON survives the text form', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'medium' }), (json) => {
        const value = JSON.parse(JSON.stringify(json));
        t.deepEqual(readText(writeText(value)), value);
      }),
      { numRuns: rounds(500, 50_000) },
    ),
  );
});

test('tags of MongoDB stay tags in portable form, and are plain to the product', (t) => {
  const document = {
    _id: { $oid: '0123456789abcdef01234567' },
    long: { $numberLong: '9007199254740993' },
    bytes: { $binary: { base64: 'AAEC', subType: '00' } },
    at: new Date(0),
  };
  t.deepEqual(fromText(toText(document)), document);
  t.deepEqual(plainFields(document), {
    _id: '0123456789abcdef01234567',
    long: 9007199254740992,
    bytes: 'AAEC',
    at: new Date(0),
  });
});

test('copying a value leaves the original alone', (t) => {
  const value = Object.freeze({ list: Object.freeze([Object.freeze({ $a: 1 })]) });
  t.notThrows(() => mapValue(JSON.parse(JSON.stringify(value)), { key: escapeKey }));
  t.deepEqual(escapeKeys(JSON.parse(JSON.stringify(value))), { list: [{ '\u241b24a': 1 }] });
});
