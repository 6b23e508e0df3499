import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readHelpText } from '../../packaging/man/help-text.ts';
import { fileOf, type Page, writePage } from '../../packaging/man/page.ts';
import { allPages, readExitCodes } from '../../packaging/man/pages.ts';
import { bold, code, example, prose } from '../../packaging/man/roff.ts';
import { agentTree, everyCommand, operatorTree } from '../../packaging/man/trees.ts';
import { visibleMembers } from '../../src/admin/completion/completable.ts';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';

const EDITION = { version: '1.2.3', day: '2026-11-29' };
const exitCodes = await readFile('docs/exit-codes.md', 'utf8');
const PAGES = allPages(exitCodes);

test('each command and subcommand of the three programs has a page, and there is no other', (t) => {
  const commands = [...everyCommand(operatorTree(), visibleMembers), ...everyCommand(agentTree(), visibleMembers)];
  const names = commands.map((command) => {
    const words: string[] = [];
    for (let each: typeof command | null = command; each !== null; each = each.parent) words.unshift(each.name());
    return words.join('-');
  });
  t.true(names.includes('penguindome-hosts-lost') && names.includes('penguindome-agent-enroll'));
  t.deepEqual(PAGES.map(({ name }) => name).sort(), [...names, 'penguindome-server'].sort());
});

test('each page says what it is, how it is typed, what its status means, and shows examples', (t) => {
  for (const page of PAGES) {
    t.regex(page.about, /^\S.{10,}[^.]$/, page.name);
    t.true(page.exitStatus.length > 3, page.name);
    t.true(page.description.join('').length > 10, page.name);
    t.true(page.examples.length > 0, page.name);
    const text = writePage(page, EDITION);
    for (const heading of ['NAME', 'SYNOPSIS', 'DESCRIPTION', '"EXIT STATUS"', 'FILES', 'SEE ALSO']) {
      t.true(text.includes(`\n.SH ${heading}\n`), `${page.name}: ${heading}`);
    }
  }
});

test('what a page refers to is a page', (t) => {
  const files = PAGES.map(fileOf);
  for (const { name, seeAlso, commands } of PAGES) {
    for (const file of [...seeAlso, ...commands.map(({ page }) => page)])
      t.true(files.includes(file), `${name} → ${file}`);
  }
});

test('what roff acts on is escaped, wherever it stands', (t) => {
  t.is(
    code('.TH \'x\' \\n -- ~/a `b` ^c "d"'),
    '\\&.TH \\(aqx\\(aq \\en \\-\\- \\(ti/a \\(gab\\(ga \\(hac \\(dqd\\(dq',
  );
  t.is(prose("'tis \\fBbold\\fR"), "\\&'tis \\efBbold\\efR");
  t.is(prose('see `a-b`'), `see ${bold('a-b')}`);
  t.is(prose('→ ü\u0007'), '\\[u2192] \\[u00FC] ');
  t.deepEqual(example(['.so /etc/passwd', '']), ['.EX', '\\&.so /etc/passwd', '\\&', '.EE']);
  const hostile = ".so x\n.de y\n'br \\*(Tm";
  const page: Page = {
    name: 'x',
    section: 1,
    about: hostile,
    synopsis: { command: hostile, rest: hostile },
    description: [hostile],
    commands: [{ name: hostile, about: hostile, page: 'x.1' }],
    options: [{ flags: hostile, about: hostile }],
    lists: [{ heading: 'A', rows: [{ term: hostile, about: hostile }] }],
    exitStatus: [{ status: hostile, about: hostile }],
    exitNote: hostile,
    examples: hostile.split('\n'),
    files: [{ path: hostile, about: hostile }],
    seeAlso: [],
  };
  const requests = writePage(page, EDITION)
    .split('\n')
    .filter((line) => /^[.']/.test(line));
  const macros = new Set(requests.map((line) => line.split(' ')[0] ?? ''));
  t.deepEqual([...macros].sort(), ['.EE', '.EX', '.SH', '.TH', '.TP', '.\\"']);
  t.notRegex(writePage(page, EDITION), /(?<!\\)\\\*/);
});

test('a help text is taken apart into examples, exit status, lists and paragraphs', (t) => {
  t.deepEqual(
    readHelpText(
      '\nFirst\nlines.\n\nExit status: 0 fine.\n\nSignals:\n  SIGHUP   read again\n\nExamples:\n  a  # b\n\n  c\n\nLast.',
    ),
    {
      examples: ['a  # b', '', 'c'],
      exitStatus: '0 fine.',
      lists: [{ heading: 'Signals', rows: [{ term: 'SIGHUP', about: 'read again' }] }],
      paragraphs: ['First\nlines.', 'Last.'],
    },
  );
});

test('each status of docs/exit-codes.md is on the pages of its program', (t) => {
  t.deepEqual(
    readExitCodes(exitCodes, 'penguindome').map(({ status }) => status),
    ['0', '1', '2', '3', '69', '70', '75', '130'],
  );
  t.deepEqual(
    readExitCodes(exitCodes, 'penguindome-agent').map(({ status }) => status),
    ['0', '1', '2', '3', '4', '5', '69', '75'],
  );
  t.deepEqual(
    readExitCodes(exitCodes, 'penguindome-server').map(({ status }) => status),
    ['0', '1', '2', '3', '69'],
  );
});

const has = (program: string) => existsSync(`/usr/bin/${program}`);

whenPresent(has('mandoc'), 'manual pages held to mandoc: Debian package mandoc')(
  'mandoc finds nothing wrong with any page',
  async (t) => {
    const folder = await scratchFolder(t);
    for (const page of PAGES) await writeFile(join(folder, fileOf(page)), writePage(page, EDITION));
    const { stdout, status } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', ...PAGES.map(fileOf)], {
      cwd: folder,
      encoding: 'utf8',
    });
    t.is(stdout, '');
    t.is(status, 0);
  },
);

whenPresent(
  has('groff') && existsSync('/usr/share/groff/current/tmac/an.tmac'),
  'manual pages set by groff: Debian package groff',
)('groff sets every page without a warning, and what is to be typed comes out as it is typed', async (t) => {
  const folder = await scratchFolder(t);
  await mkdir(folder, { recursive: true });
  for (const page of PAGES) {
    const { stdout, stderr, status } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-P-c', '-rLL=200n'], {
      input: writePage(page, EDITION),
      encoding: 'utf8',
    });
    t.is(stderr, '', page.name);
    t.is(status, 0);
    // overstriking is how a terminal of old set bold
    const plain = stdout.replace(/.\u0008/g, '');
    for (const line of page.examples.filter(Boolean)) t.true(plain.includes(line), `${page.name}: ${line}\n${plain}`);
    t.true(plain.includes(page.synopsis.command), page.name);
  }
});
