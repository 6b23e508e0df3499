import { readFile } from 'node:fs/promises';
import test from 'ava';
import { commandsOf } from '../e2e/support/packages.ts';

const PAGE = 'docs/deploy.md';

/** What a machine types after test/e2e/packages. */
const BY_HAND = ['The server on Debian 13', 'A machine with Debian 13'];

test('what docs/deploy.md says of packages by hand are lines of docs/install.md, each of which is run', async (t) => {
  const run = (await Promise.all(BY_HAND.map((heading) => commandsOf('docs/install.md', heading)))).flat();
  const told = await commandsOf(PAGE, 'Packages by hand');
  t.true(told.length > 8);
  t.deepEqual(
    told.filter((line) => !run.includes(line)),
    [],
  );
});

/** Where one number stands in both pages, it is the same. */
const FIGURES = [
  [/717 to 817 check-ins a second/, [/\| 817 \/s/, /\| 717 \/s/]],
  [/945 to 1,312/, [/v2 changed reports \(6 KB\), embedded: beside gpg \| 1312 \/s/, /mongo: beside gpg \| 945 \/s/]],
  [/takes 171 to 238 MB/, [/an audit that lists them all, memory \| 171 MB/, /which opens them, memory \| 238 MB/]],
  [/512 MB \(315 MB measured\)/, [/embedded: their memory \| 315 MB/]],
  [/MongoDB \(353 MB measured/, [/mongo: their memory \| 353 MB/]],
  [/a quiet host is 4 MB a day/, [/on the wire \| 3\.99 MB/]],
] as const;

test('the sizing of docs/deploy.md is what docs/performance.md has measured', async (t) => {
  const page = await readFile(PAGE, 'utf8');
  const measured = await readFile('docs/performance.md', 'utf8');
  for (const [told, sources] of FIGURES) {
    t.regex(page, told);
    for (const source of sources) t.regex(measured, source);
  }
});
