import test from 'ava';
import { parseHypridle } from '../../../../src/agent/collectors/screen-lock/parse-hypridle.ts';
import { parseKConfig } from '../../../../src/agent/collectors/screen-lock/parse-kconfig.ts';
import { splitWords } from '../../../../src/agent/collectors/screen-lock/parse-swayidle.ts';
import { whatCommandDoes } from '../../../../src/agent/collectors/screen-lock/what-command-does.ts';
import { parseXset } from '../../../../src/agent/collectors/screen-lock/x11.ts';
import { parseChannel } from '../../../../src/agent/collectors/screen-lock/xfce.ts';

/** Milliseconds. What these took before they were mended is seconds; what a loaded machine takes now is a hundredth of it. */
const ALLOWED = 1000;
/** A line as long as one may be, and a file. */
const [LINE, FILE] = [4096, 64 * 1024];

const lines = (line: string) => `${line}\n`.repeat(Math.floor(FILE / (line.length + 1)));

/** The worst that a user can write, in the size that is read at most. */
for (const [what, read] of [
  ["KDE's settings of blanks", () => parseKConfig([lines(`a${' '.repeat(LINE - 2)}[`)])],
  [
    "KDE's settings of brackets",
    () => parseKConfig([lines('[a]'.repeat(LINE / 3)), lines(`a${'[$i'.repeat(LINE / 4)}]`)]),
  ],
  ["hypridle's settings of blanks", () => parseHypridle(lines(`a${' '.repeat(LINE - 2)}\u2028=`))],
  ["hypridle's settings of number signs", () => parseHypridle(lines('#'.repeat(LINE - 1)))],
  [
    "swayidle's settings of open quotes",
    () =>
      lines(`${'"\\"'.repeat(LINE / 3)}`)
        .split('\n')
        .map(splitWords),
  ],
  ['a command of quotes', () => whatCommandDoes(`a${'"'.repeat(80_000)}x`)],
  ['a command of quotes of the longest length', () => whatCommandDoes(`a${'"'.repeat(LINE - 2)}x`)],
  ['a command of shells', () => whatCommandDoes('sh -c '.repeat(4000))],
  ['a command of prefixes', () => whatCommandDoes('exec '.repeat(LINE / 5))],
  ["Xfce's settings of blanks", () => parseChannel(`/a b${' '.repeat(FILE)}c`)],
  ['what xset says, many times', () => parseXset('Screen Saver:\n x\n'.repeat(FILE / 17))],
] as const) {
  test(`${what} take no time`, (t) => {
    const from = performance.now();
    read();
    const took = performance.now() - from;
    t.true(took < ALLOWED, `${took} ms`);
  });
}

test('a shell within too many others does what nobody can tell', (t) => {
  t.is(whatCommandDoes(`${'sh -c '.repeat(3)}swaylock`), 'locks');
  t.is(whatCommandDoes(`${'sh -c '.repeat(20)}swaylock`), 'unclear');
  t.is(whatCommandDoes(`swaylock ${'x'.repeat(LINE)}`), 'unclear');
});

test('variables that hold one another are not expanded without end', (t) => {
  const doubling = Array.from({ length: 40 }, (_, n) => `$a${n + 1} = $a${n}$a${n}`);
  t.throws(() => parseHypridle(['$a0 = aaaaaaaa', ...doubling].join('\n')), { message: /longer than 4096/ });
  t.throws(() => parseHypridle(`$a = ${'x'.repeat(4000)}\nlistener {\non-timeout = $a$a$a\n}\n`), {
    message: /longer than/,
  });
  t.throws(() => parseHypridle(Array.from({ length: 101 }, (_, n) => `$a${n} = x`).join('\n')), {
    message: /more than 100/,
  });
});

for (const [line, expected] of [
  ['Timeout=5', { value: '5', fixed: false }],
  ['Timeout = 5', { value: '5', fixed: false }],
  ['Timeout[$i]=5', { value: '5', fixed: true }],
  ['Timeout [$ei] = 5', { value: '5', fixed: true }],
  ['Timeout=', { value: '', fixed: false }],
  ['Timeout=a=b', { value: 'a=b', fixed: false }],
  ['Timeout', undefined],
  ['Timeout[de]=5', undefined],
  ['Timeout[$I]=5', undefined],
  ['#Timeout=5', undefined],
  ['=5', undefined],
] as const) {
  test(`of KDE's line "${line}" the value is ${JSON.stringify(expected)}`, (t) => {
    t.deepEqual(
      parseKConfig([`[Daemon]\n${line}\n`])
        .groups.get('Daemon')
        ?.get('Timeout'),
      expected,
    );
  });
}
