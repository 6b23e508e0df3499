import test from 'ava';
import { readByteRange } from '../../src/server/byte-range.ts';

const CASES: [header: string | undefined, size: number, expected: ReturnType<typeof readByteRange>][] = [
  [undefined, 10, 'whole'],
  ['', 10, 'whole'],
  ['bytes=0-', 10, { first: 0, last: 9 }],
  ['bytes=0-0', 10, { first: 0, last: 0 }],
  ['bytes=3-5', 10, { first: 3, last: 5 }],
  ['Bytes=3-5', 10, { first: 3, last: 5 }],
  ['bytes=3-500', 10, { first: 3, last: 9 }],
  ['bytes=9-', 10, { first: 9, last: 9 }],
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=10-20', 10, 'unsatisfiable'],
  ['bytes=-3', 10, { first: 7, last: 9 }],
  ['bytes=-30', 10, { first: 0, last: 9 }],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=-1', 0, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=5-3', 10, 'whole'],
  ['bytes=-', 10, 'whole'],
  ['bytes=a-b', 10, 'whole'],
  ['bytes=0-1,3-4', 10, 'whole'],
  ['lines=0-1', 10, 'whole'],
  [`bytes=0-${'9'.repeat(400)}`, 10, { first: 0, last: 9 }],
  [`bytes=${'9'.repeat(400)}-`, 10, 'unsatisfiable'],
  [`bytes=-${'9'.repeat(400)}`, 10, { first: 0, last: 9 }],
];

for (const [header, size, expected] of CASES) {
  test(`of ${size} bytes ${String(header).slice(0, 30)} is ${JSON.stringify(expected)}`, (t) => {
    t.deepEqual(readByteRange(header, size), expected);
  });
}
