import { PassThrough } from 'node:stream';
import test from 'ava';
import { makeOutput } from '../../src/admin/output.ts';

function prepare(options: { columns?: number; noColor?: boolean } = {}) {
  const stdout = Object.assign(
    new PassThrough(),
    options.columns === undefined ? {} : { isTTY: true, columns: options.columns },
  );
  const stderr = new PassThrough();
  const output = makeOutput(
    { stdin: new PassThrough(), stdout, stderr },
    { wantsJson: () => false, noColor: options.noColor ?? false, signal: new AbortController().signal },
  );
  const said = () => String(stdout.read() ?? '');
  return { output, said, complained: () => String(stderr.read() ?? '') };
}

const HOSTILE = 'evil\u001b[2J\u001b]0;title\u0007\u009b31m\u202egnp.exe\r\u0000\u007f';
const SHOWN = 'evil\\x1b[2J\\x1b]0;title\\x07\\x9b31m\\u202egnp.exe\\x0d\\x00\\x7f';

test('what hosts report cannot move the cursor', (t) => {
  const { output, said, complained } = prepare({ columns: 200 });
  output.line(HOSTILE);
  t.is(said(), `${SHOWN}\n`);
  output.table(['NAME'], [[HOSTILE], ['a\nb\tc']]);
  t.is(said(), `\u001b[1mNAME\u001b[0m\n${SHOWN}\na\\nb\\tc\n`);
  output.note(HOSTILE);
  t.is(complained(), `${SHOWN}\n`);
  output.json({ [HOSTILE]: HOSTILE });
  const json = said();
  t.notRegex(json, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  t.deepEqual(JSON.parse(json), { [HOSTILE]: HOSTILE }, 'and a reader of JSON gets what was reported');
});

test('colours go to a terminal, and nowhere else, and not with NO_COLOR', (t) => {
  const red = '\u001b[31mfail\u001b[0m';
  const terminal = prepare({ columns: 80 });
  t.true(terminal.output.colors);
  terminal.output.line(red);
  t.is(terminal.said(), `${red}\n`);
  for (const { output, said } of [prepare(), prepare({ columns: 80, noColor: true })]) {
    t.false(output.colors);
    output.line(red);
    output.table(['A', 'B'], [[red, 'x']]);
    t.is(said(), 'fail\nA     B\nfail  x\n');
  }
});

test('a colour that hides text is shown as what it is', (t) => {
  const { output, said } = prepare({ columns: 80 });
  output.line('\u001b[8mhidden');
  t.is(said(), '\\x1b[8mhidden\n');
});

test('a table is as wide as it is where there is no terminal', (t) => {
  const { output, said } = prepare();
  t.is(output.width, Number.POSITIVE_INFINITY);
  output.table(
    ['HOST', 'WHAT'],
    [
      ['a', 'x'.repeat(300)],
      ['long-host-name', 'y'],
    ],
  );
  t.is(said(), `HOST            WHAT\na               ${'x'.repeat(300)}\nlong-host-name  y\n`);
});

test('a table fits the terminal: words wrap first, ids only where they must', (t) => {
  const { output, said } = prepare({ columns: 40, noColor: true });
  const id = '0190a5c0-7e1f-7000-8000-000000000001';
  output.table(['HOST', 'REASON'], [['lap-17', 'the disk is not encrypted and nobody knows why']]);
  t.is(said(), 'HOST    REASON\nlap-17  the disk is not encrypted and\n        nobody knows why\n');
  output.table(['ID', 'NAME', 'NOTE'], [[id, 'lap-17', 'a note of several words']]);
  const lines = said().trimEnd().split('\n');
  t.true(
    lines.every((line) => line.length <= 40),
    lines.join('\n'),
  );
  // the first column, its lines put together again
  const first = lines.slice(1).map((line) => line.split('  ')[0]?.trim() ?? '');
  t.is(first.join(''), id);
});

test('wide and combining characters take the columns that a terminal gives them', (t) => {
  const { output, said } = prepare({ columns: 80, noColor: true });
  output.table(
    ['A', 'B'],
    [
      ['日本', '1'],
      ['e\u0301', '2'],
      ['😀', '3'],
      ['ab', '4'],
    ],
  );
  t.is(said(), 'A     B\n日本  1\ne\u0301     2\n😀    3\nab    4\n');
});

test('a colour around a cell is set on each of its lines', (t) => {
  const { output, said } = prepare({ columns: 20 });
  output.table(['H', 'R'], [['x', '\u001b[31mone two three four five\u001b[0m']]);
  t.is(said().split('\n')[1], 'x  \u001b[31mone two three\u001b[0m');
  t.pass();
});

test('a question without a terminal is refused, naming the flag', async (t) => {
  const { output } = prepare();
  await t.throwsAsync(output.ask('Port?', { flag: '--port' }), {
    message: 'cannot ask "Port?" without a terminal: use --port',
  });
});
