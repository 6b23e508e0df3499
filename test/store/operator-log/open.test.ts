import { appendFile, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test from 'ava';
import { readEntry } from '../../../src/store/operator-log/entry.ts';
import { readEntries } from '../../../src/store/operator-log/read-entries.ts';
import { logOf } from './log-site.ts';

async function told(path: string): Promise<string[]> {
  return readEntries(await readFile(path, 'utf8')).map((entry) =>
    entry.event === 'began' ? entry.command : entry.event === 'noticed' ? entry.what : entry.event,
  );
}

test('entries are numbered and chained, and only the owner may read the file', async (t) => {
  const site = await logOf(t, 3);
  const entries = (await site.lines()).map((line) => readEntry(line)?.entry);
  t.deepEqual(
    entries.map((entry) => entry?.number),
    [1, 2, 3],
  );
  t.is(entries[0]?.previous, '0'.repeat(64));
  t.is(entries[2]?.previous, entries[1]?.hash);
  t.is((await stat(site.path)).mode & 0o777, 0o600);
  t.deepEqual(JSON.parse(await readFile(site.head, 'utf8')), { count: 3, hash: entries[2]?.hash });
});

test('half a line that a crash left is taken away, and an entry says so', async (t) => {
  const site = await logOf(t, 2);
  // "ä" cut in the middle of its two bytes
  const half = Buffer.from('{"arguments":["lap-17"],"who":{"sudo":"ä').subarray(0, -1);
  await appendFile(site.path, half);
  t.regex((await site.verify()).remarks.join(), /^line 3 is half a line/);
  await site.append('after');
  t.deepEqual(await told(site.path), ['command-1', 'command-2', 'torn', 'after']);
  t.deepEqual((await site.verify()).findings, []);
  t.is(JSON.parse((await site.lines())[2] ?? '').bytes, half.length);
});

test('where only the end of the last line is missing, the line stays', async (t) => {
  const site = await logOf(t, 2);
  const { size } = await stat(site.path);
  await truncate(site.path, size - 1);
  t.deepEqual((await site.verify()).findings, []);
  await site.append('after');
  t.deepEqual(await told(site.path), ['command-1', 'command-2', 'after']);
  t.deepEqual((await site.verify()).findings, []);
});

test('a first line that a crash tore leaves a log that begins', async (t) => {
  const site = await logOf(t, 0);
  await site.append('one');
  await writeFile(site.path, '{"argum');
  await rm(site.head);
  await site.append('after');
  t.deepEqual(await told(site.path), ['torn', 'after']);
  t.deepEqual((await site.verify()).findings, []);
});

test('a log that is longer than its head goes on as it is', async (t) => {
  const site = await logOf(t, 2);
  const head = await readFile(site.head, 'utf8');
  await site.append('three');
  await writeFile(site.head, head);
  await site.append('four');
  t.deepEqual(await told(site.path), ['command-1', 'command-2', 'three', 'four']);
  t.deepEqual((await site.verify()).findings, []);
});

test('a tail that was cut off stays known, however many commands come after it', async (t) => {
  const site = await logOf(t, 5);
  await site.write((await site.lines()).slice(0, 3));
  await site.append('after');
  await site.append('and another');
  t.deepEqual(await told(site.path), ['command-1', 'command-2', 'command-3', 'cut-off', 'after', 'and another']);
  const { findings } = await site.verify();
  t.is(findings.length, 1);
  t.like(findings[0], { line: 4, kind: 'cut-off' });
  t.regex(
    findings[0]?.text ?? '',
    /^entries 4 to 5 are missing before this line: cut off, as the command found that came at 2026-/,
  );
});

test('a log that was removed stays known too, and one whose last line was changed', async (t) => {
  const site = await logOf(t, 2);
  await rm(site.path);
  await site.append('after');
  t.deepEqual(
    (await site.verify()).findings.map(({ line, kind }) => `${line}:${kind}`),
    ['1:cut-off'],
  );
  const other = await logOf(t, 2);
  await other.write((await other.lines()).map((line) => line.replace('command-2', 'command-3')));
  await other.append('after');
  t.deepEqual(
    (await other.verify()).findings.map(({ line, kind }) => `${line}:${kind}`),
    ['2:changed'],
  );
  const third = await logOf(t, 2);
  await third.write([...(await third.lines()).slice(0, 1), 'nothing of ours']);
  await third.append('after');
  t.deepEqual(
    (await third.verify()).findings.map(({ line, kind }) => `${line}:${kind}`),
    ['2:changed', '3:replaced'],
  );
});

test('entries longer than what is read at once are found again', async (t) => {
  const site = await logOf(t, 1);
  await site.append(`long ${'x'.repeat(300_000)}`);
  await site.append('after');
  t.deepEqual((await site.verify()).findings, []);
  t.is((await site.verify()).entries, 3);
});

test('where the log cannot be written, nothing of the entry is there, and the reason is said', async (t) => {
  const site = await logOf(t, 1);
  const before = await readFile(site.path);
  // a head that cannot be replaced: a folder in its place
  await rm(site.head);
  const { mkdir } = await import('node:fs/promises');
  await mkdir(site.head);
  await t.throwsAsync(site.append('refused'), { message: /^cannot (write|read) .*operator/ });
  t.deepEqual(await readFile(site.path), before);
  t.truthy(dirname(site.path));
});
