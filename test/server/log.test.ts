import test from 'ava';
import { createLog } from '../../src/server/log.ts';

function recorder(): { lines: string[]; destination: { write(line: string): void } } {
  const lines: string[] = [];
  return { lines, destination: { write: (line) => void lines.push(line) } };
}

test('an event is one line of JSON with level, time, name, sentence and facts', (t) => {
  const { lines, destination } = recorder();
  createLog(destination, 'info').event('submit.stored', { host: 'penguin-07', ms: 3, detail: undefined });
  t.is(lines.length, 1);
  t.true(lines[0]?.endsWith('}\n'));
  const { time, ...line }: Record<string, unknown> = JSON.parse(lines[0] ?? '');
  t.regex(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  t.deepEqual(line, {
    level: 'info',
    event: 'submit.stored',
    host: 'penguin-07',
    ms: 3,
    message: 'a report was stored',
  });
});

test('control characters, and what turns text around, are encoded', (t) => {
  const { lines, destination } = recorder();
  createLog(destination, 'info').event('request.refused', { reason: 'a\n\u001b[31m\u009b\u202e\u2028\u007fb' });
  t.is(lines.length, 1);
  t.notRegex(lines[0]?.slice(0, -1) ?? '', /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
});

test('a long fact is cut', (t) => {
  const { lines, destination } = recorder();
  createLog(destination, 'info').event('request.refused', { reason: 'x'.repeat(100_000) });
  t.true((lines[0]?.length ?? 0) < 1000);
});

test('what is below the level is not written, and the level can change', (t) => {
  const { lines, destination } = recorder();
  const log = createLog(destination, 'warn');
  log.event('submit.stored');
  t.is(lines.length, 0);
  log.setLevel('debug');
  log.event('submit.checked-in');
  t.is(lines.length, 1);
});
