import test from 'ava';
import { spellOut } from '../../src/admin/spell-out.ts';
import { penguindome } from '../support/penguindome.ts';

const spelt = (line: string) => spellOut(line.split(' ')).join(' ');

test('release --bootstrap is release bootstrap, with global options before and between', (t) => {
  t.is(spelt('release --bootstrap'), 'release bootstrap');
  t.is(spelt('release --bootstrap --no-runtime --output x'), 'release bootstrap --no-runtime --output x');
  t.is(spelt('--config a.yml release --json --bootstrap'), '--config a.yml release --json bootstrap');
  t.is(spelt('--config=a.yml --json release --bootstrap'), '--config=a.yml --json release bootstrap');
});

test('nothing else is spelt otherwise', (t) => {
  for (const line of [
    'release publish --bootstrap',
    'command release --bootstrap',
    'release list',
    '--bootstrap release',
    'release',
    'patch --host release --bootstrap',
  ]) {
    t.is(spelt(line), line);
  }
});

test('the program itself takes it for the command', async (t) => {
  const { status, stdout } = await penguindome(['release', '--bootstrap', '--help']);
  t.is(status, 0);
  t.regex(stdout, /^Usage: penguindome release bootstrap /);
});
