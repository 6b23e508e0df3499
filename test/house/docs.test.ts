import { readFile } from 'node:fs/promises';
import test from 'ava';
import { factTables, GROUPS } from '../../packaging/docs/collectors.ts';
import { collectorsPage } from '../../packaging/docs/write-collectors.ts';
import type { FactDoc } from '../../src/agent/collectors/doc.ts';

test('docs/collectors.md is what npm run docs makes of the code', async (t) => {
  const page = await readFile('docs/collectors.md', 'utf8');
  t.is(collectorsPage(page), page, 'run npm run docs');
});

test('no fact is documented twice, and each says what it reads', (t) => {
  for (const [group, docs] of Object.entries(GROUPS)) {
    const names = docs.map(({ fact }) => fact.name);
    t.deepEqual([...new Set(names)], names, group);
    for (const { fact, reads, tells } of docs) t.true(reads.length > 0 && tells !== '', `${group}.${fact.name}`);
  }
});

test('a fact is told with its shape, cost, interval and where it was tried', (t) => {
  const doc: FactDoc = {
    fact: { name: 'lid', interval: 3_600_000 },
    tells: 'what closing the lid does',
    reads: ['`/etc/systemd/logind.conf`'],
    shape: '{action: "suspend" | "lock"}',
    cost: '1 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'output', arch: 'no', fedora: 'no' },
  };
  const text = factTables({ session: [doc] });
  t.true(text.includes('### session'));
  t.true(text.includes('| `lid` | real | real | output | not yet | not yet |'));
  t.regex(text, /looked at again after 1h/);
});
