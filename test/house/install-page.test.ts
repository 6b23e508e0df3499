import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';

const PAGE = 'docs/install.md';

interface Block {
  heading: string;
  /** what stands in the section before it */
  before: string;
  language: string;
  lines: string[];
}

function blocksOf(page: string): Block[] {
  return page.split(/^## /m).flatMap((section) => {
    const heading = section.split('\n')[0] ?? '';
    return [...section.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(({ 1: language = '', 2: text = '', index }) => ({
      heading,
      before: section.slice(0, index),
      language,
      lines: text.trimEnd().split('\n'),
    }));
  });
}

/** Headings whose blocks some test in booted machines types. */
async function typedHeadings(): Promise<Set<string>> {
  const files = (await readdir('test/e2e', { recursive: true })).filter((name) => name.endsWith('.ts'));
  const texts = await Promise.all(files.map((name) => readFile(join('test/e2e', name), 'utf8')));
  const found = texts
    .filter((text) => text.includes(`const PAGE = '${PAGE}';`))
    .flatMap((text) => [...text.matchAll(/commandsOf\(PAGE, '([^']+)'\)/g)].map(([, name]) => name ?? ''));
  return new Set(found);
}

test('each block of commands in docs/install.md is typed by a test, or says that it was not run', async (t) => {
  const blocks = blocksOf(await readFile(PAGE, 'utf8'));
  const typed = await typedHeadings();
  const commands = blocks.filter(({ language }) => language === 'sh');
  t.true(commands.length >= 8);
  t.deepEqual(
    commands.filter(({ heading }) => !typed.has(heading)).map(({ heading }) => heading),
    [],
    'sections that no test types',
  );
  const notRun = blocks.filter(({ language, before }) => language !== 'sh' && !/not run|cron calls/i.test(before));
  t.deepEqual(
    notRun.map(({ heading }) => heading),
    [],
    'blocks that are neither typed nor marked',
  );
});

test('docs/install.md has no indented commands, which no test would see', async (t) => {
  const text = (await readFile(PAGE, 'utf8')).replace(/^```[\s\S]*?^```$/gm, '');
  t.deepEqual(text.match(/^ {4,}\S.*$/gm) ?? [], []);
});

test('what builds the packages is what CI installs', async (t) => {
  const lines = blocksOf(await readFile(PAGE, 'utf8')).flatMap(({ heading, lines }) =>
    heading === 'From source' ? lines : [],
  );
  const [, ...words] = lines.find((line) => line.startsWith('apt-get install -y '))?.split(' -y ') ?? [];
  const wanted = words.join(' ').split(' ');
  t.true(wanted.length > 5);
  const installed = /^PACKAGES=\(([\s\S]*?)\)$/m.exec(await readFile('.ci/run', 'utf8'))?.[1]?.split(/\s+/) ?? [];
  t.deepEqual(
    wanted.filter((name) => !installed.includes(name)),
    [],
  );
});

test('the page leads to sections that it has', async (t) => {
  const text = await readFile(PAGE, 'utf8');
  const anchors = [...text.matchAll(/^## (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
  t.true(links.length > 8);
  t.deepEqual(
    links.filter((anchor) => !anchors.includes(anchor)),
    [],
  );
});
