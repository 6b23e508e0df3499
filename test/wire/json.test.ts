import test from 'ava';
import { parseJson } from '../../src/wire/json.ts';

const LIMITS = { depth: 4, keys: 10 };
const parse = (text: string, limits = LIMITS) => parseJson(Buffer.from(text), limits);

test('JSON within the limits is read', (t) => {
  t.deepEqual(parse('{"a":[[{"b":"\\"}}]]::"}]]}'), { ok: true, value: { a: [[{ b: '"}}]]::' }]] } });
});

test('nesting beyond the limit is refused, brackets in strings do not nest', (t) => {
  t.true(parse('[[[[1]]]]').ok);
  t.false(parse('[[[[[1]]]]]').ok);
  t.true(parse('["[[[[[[[", "\\\\", "\\"[[[[["]').ok);
});

test('keys beyond the limit are refused, and so are lists and objects', (t) => {
  const keys = (count: number): string => `{${Array.from({ length: count }, (_, i) => `"k${i}":1`).join()}}`;
  t.true(parse(keys(10)).ok);
  t.false(parse(keys(11)).ok);
  t.true(parse(`[${'{},'.repeat(8)}{}]`).ok);
  t.false(parse(`[${'{},'.repeat(9)}{}]`).ok);
});

test('what is no JSON, or not in UTF-8, is refused without quoting it', (t) => {
  for (const bytes of [
    Buffer.from(''),
    Buffer.from('{"secret"'),
    Buffer.from('NaN'),
    Buffer.from([0x22, 0xff, 0x22]),
  ]) {
    t.deepEqual(parseJson(bytes, LIMITS), { ok: false, reason: 'cannot read the body as JSON in UTF-8' });
  }
});

test('a byte order mark is no part of JSON', (t) => {
  t.false(parse('\ufeff{}').ok);
});

test('closing what was never opened gives no room for more', (t) => {
  t.false(parse(`${']'.repeat(100)}${'['.repeat(104)}`).ok);
});
