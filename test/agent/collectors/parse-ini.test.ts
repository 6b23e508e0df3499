import test from 'ava';
import { parseAptBoolean, parseAptConfig } from '../../../src/agent/collectors/parse-apt-config.ts';
import { parseBoolean, parseIni } from '../../../src/agent/collectors/parse-ini.ts';

const plain = (text: string) => [...parseIni(text)].map(([name, keys]) => [name, Object.fromEntries(keys)]);

test('sections have their keys; comments, empty lines and what stands before the first section are none', (t) => {
  t.deepEqual(plain('lost=1\n[a]\n# x=1\n; y=2\n\nk = v w \r\nempty=\n[b]\nk=a=b\n'), [
    ['a', { k: 'v w', empty: '' }],
    ['b', { k: 'a=b' }],
  ]);
});

test('a value goes on in lines that begin with a blank; what stands twice counts as it stands last', (t) => {
  t.deepEqual(plain('[a]\nk=1\n  2\n\t3\n[b]\n  no\n[a]\nk=4\nj=5\n'), [
    ['a', { k: '4', j: '5' }],
    ['b', {}],
  ]);
  t.deepEqual(plain('[a]\nk=1\n  2 = 3\n'), [['a', { k: '1 2 = 3' }]]);
});

test('what dnf and apt call true and false', (t) => {
  for (const text of ['1', 'yes', 'True', 'ON']) t.is(parseBoolean(text), true, text);
  for (const text of ['0', 'no', 'FALSE', 'off']) t.is(parseBoolean(text), false, text);
  for (const text of ['2', '', undefined, 'truely']) t.is(parseBoolean(text), undefined);
  for (const text of ['with', 'enable', 'YES']) t.is(parseAptBoolean(text), true, text);
  for (const text of ['without', 'disable', '0']) t.is(parseAptBoolean(text), false, text);
  t.is(parseAptBoolean('maybe'), undefined);
});

test("apt's settings: the last value counts, names are the same in any case, and a list has all members but empty ones", (t) => {
  const config = parseAptConfig(
    'A "";\nA::B "1";\na::b "2";\nA::L "";\nA::L:: "x";\nA::L::name "y \\"z\\"";\nA::L:: "";\nA::Long "no";\nbroken "\n',
  );
  t.is(config.value('a::B'), '2');
  t.deepEqual(config.list('A::L'), ['x', 'y \\"z\\"']);
  t.is(config.value('broken'), undefined);
});
