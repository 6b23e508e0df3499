import test from 'ava';
import { bodyOf, type Result } from '../../src/agent/body.ts';
import { fitReport } from '../../src/agent/fit-report.ts';
import { enrolledMachine } from './support/machine.ts';
import { startSite } from './support/site.ts';

function result(name: string, value: unknown): Result {
  const body = bodyOf(value);
  return { name, text: 'text' in body ? body.text : body.reason };
}

const texts = (results: readonly Result[]) =>
  Object.fromEntries(results.map(({ name, text }) => [name, JSON.parse(text)]));

test('a report that fits is left as it is', (t) => {
  const results = [result('a', { b: 1 }), result('c', 'x'.repeat(3_900_000)), result('d', [])];
  t.deepEqual(fitReport(results), results);
});

test('of a report that is too large the largest results are told as failed, and all others stay', (t) => {
  const small = Array.from({ length: 20 }, (_, index) => result(`small${index}`, { index }));
  const fitted = fitReport([result('big', 'x'.repeat(3_000_000)), ...small, result('bigger', 'é'.repeat(1_700_000))]);
  const { bigger, big, ...rest } = texts(fitted);
  t.like(bigger, { returncode: 0, stdout: '' });
  t.regex(bigger.reason, /more than 3932160 bytes: of these, 3400002 are in this result/);
  t.is(big.length, 3_000_000);
  t.deepEqual(rest, texts(small));
  t.deepEqual(
    fitted.flatMap(({ failure, name }) => (failure === undefined ? [] : [name])),
    ['bigger'],
  );
});

test('so are those that have too many keys together', (t) => {
  const keys = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, { a: 1 }]));
  const fitted = fitReport([result('most', keys(9000)), result('more', keys(8000)), result('much', keys(7000))]);
  t.deepEqual(
    fitted.flatMap(({ failure, name }) => (failure === undefined ? [] : [name])),
    ['most'],
  );
});

test('two plugins that print as much as one may do not keep the reports of the others from the server', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  // Text that hardly shrinks.
  const random = (megabytes: number) =>
    `#!/bin/sh\nprintf '"'; head -c ${megabytes * 750_000} /dev/urandom | base64 -w0; printf '"'\n`;
  await machine.plugin('one.sh', random(3));
  await machine.plugin('two.sh', random(3.2));
  const said = await machine.run('--json', 'run', '--now');
  t.like(said.json(), { submitted: { waiting: 0, bad: [] } }, said.err);
  const plugins = (await site.store.hosts.find('testhost'))?.plugins ?? {};
  t.deepEqual(Object.keys(plugins).sort(), ['one', 'os_info', 'submitted_at', 'two']);
  t.like(plugins['os_info'], { version: '12' });
  t.is(JSON.stringify(plugins['one']).length, 3_000_002);
  t.regex(JSON.stringify(plugins['two']), /would hold more than/);
});
