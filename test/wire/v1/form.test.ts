import test from 'ava';
import { parseForm } from '../../../src/wire/v1/form.ts';

const parse = (text: string) => parseForm(Buffer.from(text, 'latin1'));

test('data and signature come out as they were signed, to the byte', (t) => {
  const data = '{"a": "ü +&=%\\u0000\\n"}';
  const body = new URLSearchParams({ data, signature: 'sig\n' }).toString();
  t.deepEqual(parse(body), { data, signature: 'sig\n' });
});

test('other fields are passed over, also those whose names begin alike', (t) => {
  t.deepEqual(parse('x=1&data2=no&data=yes&&signatures=no&xdata=no'), { data: 'yes' });
});

test('an empty field is there', (t) => {
  t.deepEqual(parse('data='), { data: '' });
  t.deepEqual(parse(''), {});
});

test('a broken escape, bytes that are not UTF-8, and a field twice make it no form', (t) => {
  for (const body of ['data=%', 'data=%zz', 'data=%ff', 'data=\xfc', 'data=1&data=1', 'signature=1&signature=2']) {
    t.is(parse(body), undefined, body);
  }
});
