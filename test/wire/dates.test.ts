import test from 'ava';
import { decodeDates, parseInstant } from '../../src/wire/dates.ts';

const INSTANTS: [text: string, iso: string][] = [
  ['2026-11-22T10:07:50.097089+00:00', '2026-11-22T10:07:50.097Z'],
  ['2026-11-22T10:07:50Z', '2026-11-22T10:07:50.000Z'],
  ['2026-11-22T10:07+05:30', '2026-11-22T04:37:00.000Z'],
  ['2026-11-22T23:07:50,5-0800', '2026-11-23T07:07:50.500Z'],
  ['2024-02-29T00:00:00+01', '2024-02-28T23:00:00.000Z'],
];

for (const [text, iso] of INSTANTS) {
  test(`${text} is the instant ${iso}`, (t) => {
    t.is(parseInstant(text)?.toISOString(), iso);
  });
}

test('what is no instant stays what it is', (t) => {
  for (const text of [
    '2026-11-22',
    '2026-11-22T10:07:50',
    '2026-02-30T10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-11-22T24:00:00Z',
    '2026-11-22T23:59:60Z',
    '2026-11-22T10:00:00+24:00',
    '20261122T100000Z',
    'yesterday',
    '',
  ]) {
    t.is(parseInstant(text), undefined, text);
    t.deepEqual(decodeDates({ seen_at: text }), { seen_at: text });
  }
});

test('every key that ends in _at is looked at, at any depth, and no other', (t) => {
  const text = '2026-11-22T10:07:50+00:00';
  const date = new Date(text);
  t.deepEqual(
    decodeDates({ a: text, b_at: text, c: [{ d_at: text, e: { _at: text } }], at: text, f_at: 7, g_at: [text] }),
    {
      a: text,
      b_at: date,
      c: [{ d_at: date, e: { _at: date } }],
      at: text,
      f_at: 7,
      g_at: [text],
    },
  );
});

test('a key __proto__ is a key like any other', (t) => {
  const decoded = decodeDates(JSON.parse('{"__proto__":{"seen_at":"2026-11-22T10:07:50Z"}}'));
  t.deepEqual(Object.keys(decoded ?? {}), ['__proto__']);
  t.is(JSON.stringify(decoded), '{"__proto__":{"seen_at":"2026-11-22T10:07:50.000Z"}}');
});

test('a number that JSON may write but nothing can hold is refused', (t) => {
  t.throws(() => decodeDates(JSON.parse('{"a":[1e999]}')), { instanceOf: TypeError });
});
