import test from 'ava';
import { BSON } from 'mongodb';
import { documentSize } from '../../src/core/document-size.ts';
import type { Fields } from '../../src/core/value.ts';
import { escapeFields } from '../../src/store/escape.ts';

const DOCUMENTS: Record<string, Fields> = {
  empty: {},
  scalars: { a: 1, b: 1.5, c: 'text', d: 'ü€😀', e: true, f: null, g: new Date(0) },
  'a long list of digits': { list: Array.from({ length: 20_000 }, (_, index) => index % 10) },
  nested: { a: { b: [{ c: [[], {}] }] } },
  'odd keys': { $a: 1, 'a.b.c': { '\0\0': 1 }, '': 2, $$: 3, '\u241b': 4 },
  dots: { ['.'.repeat(1000)]: 1 },
};

for (const [name, document] of Object.entries(DOCUMENTS)) {
  test(`the size of ${name} is that as BSON or more, and not twice as much`, (t) => {
    const actual = BSON.calculateObjectSize(escapeFields(document));
    const size = documentSize(document);
    t.true(size >= actual, `${size} < ${actual}`);
    t.true(size <= 2 * actual + 16, `${size} for ${actual}`);
  });
}
