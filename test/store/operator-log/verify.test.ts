import { rm, writeFile } from 'node:fs/promises';
import test from 'ava';
import { readEntry, writeEntry } from '../../../src/store/operator-log/entry.ts';
import { began, type LogSite, logOf } from './log-site.ts';

/** line:kind of each finding */
async function found(site: LogSite): Promise<string[]> {
  return (await site.verify()).findings.map(({ line, kind }) => `${line}:${kind}`);
}

/** The line with other content, and a hash that fits. */
function forge(line: string, changes: { command?: string; number?: number; previous?: string }): string {
  const entry = readEntry(line)?.entry;
  if (entry === undefined) throw new Error('cannot forge what is no entry');
  const { number, at, previous } = { ...entry, ...changes };
  return writeEntry(began(changes.command ?? 'forged'), { number, at, previous }).line;
}

const at = (lines: string[], index: number): string => lines[index] ?? '';

test('a log that nobody touched is whole', async (t) => {
  const site = await logOf(t, 5);
  t.deepEqual(await site.verify(), { entries: 5, findings: [], remarks: [] });
});

test('any byte that is changed is found, in whichever field it is, and its line named', async (t) => {
  const site = await logOf(t, 4);
  const lines = await site.lines();
  const line = Buffer.from(at(lines, 1));
  for (let index = 0; index < line.length; index++) {
    const changed = Buffer.from(line);
    // another byte, and neither a new line nor one that would be read as the same
    changed[index] = line[index] === 0x78 ? 0x79 : 0x78;
    await site.write([at(lines, 0), changed.toString('latin1'), ...lines.slice(2)]);
    const findings = await found(site);
    t.true(findings.includes('2:changed'), `byte ${index}: ${findings}`);
    t.true(
      findings.every((each) => each.startsWith('2:') || each === '3:missing' || each === '3:moved'),
      `byte ${index}: ${findings}`,
    );
  }
});

test('a space between the fields, or another order of them, is a change', async (t) => {
  const site = await logOf(t, 2);
  const lines = await site.lines();
  await site.write([at(lines, 0).replace(',', ', '), at(lines, 1)]);
  t.deepEqual(await found(site), ['1:changed']);
});

test('a changed line whose hash was made anew does not fit the next', async (t) => {
  const site = await logOf(t, 4);
  const lines = await site.lines();
  await site.write(lines.map((line, index) => (index === 1 ? forge(line, {}) : line)));
  t.deepEqual(await found(site), ['3:replaced']);
});

test('the last line with a hash made anew does not fit the head', async (t) => {
  const site = await logOf(t, 3);
  const lines = await site.lines();
  await site.write(lines.map((line, index) => (index === 2 ? forge(line, {}) : line)));
  t.deepEqual(await found(site), ['3:replaced']);
});

test('a whole log made anew does not fit the head', async (t) => {
  const site = await logOf(t, 3);
  const other = await logOf(t, 3);
  await other.append('one more');
  await site.write((await other.lines()).map((line) => line));
  await other.write([]);
  const lines = await site.lines();
  const anew: string[] = [];
  for (const line of lines) {
    const last = anew.at(-1);
    anew.push(forge(line, last === undefined ? {} : { previous: readEntry(last)?.entry.hash ?? '' }));
  }
  await site.write(anew);
  t.deepEqual(await found(site), ['3:replaced']);
});

test('a line that was removed is missing before the next; several too', async (t) => {
  const site = await logOf(t, 6);
  const lines = await site.lines();
  await site.write(lines.filter((_, index) => index !== 2));
  t.deepEqual((await site.verify()).findings, [
    { line: 3, kind: 'missing', text: 'entry 3 is missing between line 2 and this one: removed' },
  ]);
  await site.write(lines.filter((_, index) => index !== 0 && index !== 1 && index !== 4));
  t.deepEqual(
    (await site.verify()).findings.map(({ line, text }) => `${line}: ${text}`),
    [
      '1: entries 1 to 2 are missing between line 0 and this one: removed',
      '3: entry 5 is missing between line 2 and this one: removed',
    ],
  );
});

test('lines that were swapped are named both', async (t) => {
  const site = await logOf(t, 5);
  const [a, b, c, d, e] = await site.lines();
  await site.write([a, b, d, c, e].map((line) => line ?? ''));
  t.deepEqual(await found(site), ['3:moved', '4:moved']);
});

test('a line that was inserted is named: a copy, one with a number of its own making, and one that is no entry', async (t) => {
  const site = await logOf(t, 4);
  const lines = await site.lines();
  await site.write([...lines.slice(0, 2), at(lines, 1), ...lines.slice(2)]);
  t.deepEqual(await found(site), ['3:inserted']);
  await site.write([...lines.slice(0, 2), forge(at(lines, 2), {}), ...lines.slice(2)]);
  t.deepEqual(await found(site), ['3:inserted'], 'not the true entry 3 behind it');
  await site.write([...lines.slice(0, 2), '', ...lines.slice(2)]);
  t.true((await found(site)).includes('3:changed'));
  await site.write([...lines.slice(0, 2), forge(at(lines, 2), { number: 9_000_000_000_000 }), ...lines.slice(2)]);
  t.true((await found(site)).some((each) => each.startsWith('3:')));
});

test('a tail that was cut off is missing behind the last line; a log that was removed too', async (t) => {
  const site = await logOf(t, 5);
  const lines = await site.lines();
  await site.write(lines.slice(0, 3));
  t.deepEqual((await site.verify()).findings, [
    { line: 3, kind: 'cut-off', text: 'entries 4 to 5 are missing behind this line: cut off at the end' },
  ]);
  await writeFile(site.path, '');
  t.deepEqual(await found(site), ['0:cut-off']);
});

test('half a last line that the head knows whole was cut off, not torn by a crash', async (t) => {
  const site = await logOf(t, 3);
  const lines = await site.lines();
  await writeFile(site.path, `${lines.slice(0, 2).join('\n')}\n${at(lines, 2).slice(0, 40)}`);
  t.deepEqual(await found(site), ['2:cut-off']);
});

test('a log that is longer than its head, as a crash leaves it, is whole', async (t) => {
  const site = await logOf(t, 3);
  const lines = await site.lines();
  const [line = ''] = lines.slice(-1);
  const last = readEntry(line)?.entry;
  const next = writeEntry(began('next'), { number: 4, at: new Date(), previous: last?.hash ?? '' });
  await site.write([...lines, next.line]);
  t.deepEqual((await site.verify()).findings, []);
});

test('without a head the lines are verified, and what cannot be seen is said', async (t) => {
  const site = await logOf(t, 3);
  await rm(site.head);
  const { findings, remarks } = await site.verify();
  t.deepEqual(findings, []);
  t.regex(remarks.join(), /there is no head: lines that were cut off at the end cannot be seen/);
});

test('a head that is none is no log that is whole', async (t) => {
  const site = await logOf(t, 1);
  await writeFile(site.head, '{}');
  await t.throwsAsync(site.verify(), { message: /^cannot read the head of the operator log .*: it does not hold/ });
});

test('a log of many lines that was shuffled whole is soon told to be', async (t) => {
  const entries = Array.from({ length: 150_000 }, (_, index) => {
    const number = index + 1;
    return `{"number":${number}}`;
  });
  const site = await logOf(t, 3);
  await site.write([...(await site.lines()), ...entries]);
  t.is((await found(site)).length, 150_000, 'each line that is no entry is named');
  const lines = await logOf(t, 3).then((other) => other.lines());
  const many = Array.from({ length: 20_000 }, (_, index) =>
    forge(at(lines, 1), { number: ((index * 7919) % 20_000) + 1 }),
  );
  await site.write(many);
  t.true((await site.verify()).findings.length > 500);
});
