import { readFile } from 'node:fs/promises';
import test from 'ava';
import { loadChecks } from '../../src/audit/load-checks.ts';
import { folderOf } from './scratch.ts';

test('every check that docs/checks.md shows can be read', async (t) => {
  const text = await readFile('docs/checks.md', 'utf8');
  const blocks = [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
  const examples = blocks.filter((block) => /^(name|overrides): /m.test(block));
  t.true(examples.length >= 5);
  for (const example of examples) {
    const { problems } = await loadChecks(['checks.d', await folderOf(t, { 'x.yaml': example })]);
    t.deepEqual(problems, [], example);
  }
});

test('docs/checks.md explains every field that a check may have', async (t) => {
  const text = await readFile('docs/checks.md', 'utf8');
  const { problems } = await loadChecks([
    await folderOf(t, { 'x.yaml': 'name: x\ntitle: X\nquery: { a: 1 }\nnone: 1\n' }),
  ]);
  t.is(problems.length, 1, 'an unknown field is refused, so that the table is all there is');
  const fields = [...text.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name);
  for (const name of [
    'name',
    'title',
    'query',
    'needs',
    'unknown',
    'on_unknown',
    'applies_to',
    'severity',
    'rationale',
    'profiles',
    'grace_period',
    'alert_frequency',
    'remediation',
    'tags',
    'enabled',
  ]) {
    t.true(fields.includes(name), name);
  }
});
