import test from 'ava';
import { parseVdevs, parseZfsGet } from '../../../src/agent/collectors/zfs.ts';

test('lines that are cut off, or bytes, tell of no data set and no device', (t) => {
  for (const text of ['', 'rpool', 'rpool\t', '\0\t\0'.repeat(3)]) t.is(parseZfsGet(text).get('rpool'), undefined);
  t.deepEqual(parseVdevs('rpool\t1G\n\tmirror-0\t1G\n\t/dev/sda1\t1G\n\t  /dev/sdb\nlogs\t-\n\t/dev/nvme0n1p2\t-'), [
    '/dev/sda1',
    '/dev/sdb',
    '/dev/nvme0n1p2',
  ]);
  t.deepEqual(parseVdevs('\0\n\t'), []);
});
