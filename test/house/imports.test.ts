import { readdir, readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import test from 'ava';

/** Each may import what stands below it; ARCHITECTURE.md draws the same. Folders of one row may import one another only where `among` says so. */
const ROWS: { folders: string[]; among: boolean }[] = [
  { folders: ['bin'], among: false },
  { folders: ['server', 'agent', 'audit', 'delivery', 'tasks', 'shell', 'admin'], among: false },
  { folders: ['store', 'crypto', 'settings'], among: true },
  { folders: ['wire'], among: false },
  { folders: ['core'], among: false },
];

const FORBIDDEN_IN_CORE = /^(node:|[^.])/;

interface Import {
  file: string;
  target: string;
}

async function importsOf(file: string): Promise<Import[]> {
  const text = await readFile(`src/${file}`, 'utf8');
  const specifiers = [...text.matchAll(/\bfrom '([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^import '([^']+)'/gm)];
  return specifiers.map((match) => ({ file, target: match[1] ?? match[2] ?? match[3] ?? '' }));
}

async function allImports(): Promise<Import[]> {
  const files = (await readdir('src', { recursive: true })).filter((path) => path.endsWith('.ts'));
  return (await Promise.all(files.map(importsOf))).flat();
}

const folderOf = (path: string): string => path.split('/')[0] ?? '';
const rowOf = (folder: string): number => ROWS.findIndex((row) => row.folders.includes(folder));

function breaksTheRule({ file, target }: Import): boolean {
  if (!target.startsWith('.')) return false;
  const from = folderOf(file);
  const to = folderOf(posix.normalize(posix.join(posix.dirname(file), target)));
  if (from === to) return false;
  const [above, below] = [rowOf(from), rowOf(to)];
  if (above === -1 || below === -1) return true;
  return above === below ? ROWS[above]?.among !== true : above > below;
}

test('imports run one way: bin, applications, store/crypto/settings, wire, core', async (t) => {
  const imports = await allImports();
  t.true(imports.length > 20);
  t.deepEqual(
    imports.filter(breaksTheRule).map(({ file, target }) => `${file} imports ${target}`),
    [],
  );
});

test('the rule itself notices an import that runs the wrong way', (t) => {
  t.true(breaksTheRule({ file: 'core/host.ts', target: '../wire/v2/paths.ts' }));
  t.true(breaksTheRule({ file: 'server/app.ts', target: '../audit/judge.ts' }));
  t.true(breaksTheRule({ file: 'store/port.ts', target: '../unheard-of/x.ts' }));
  t.false(breaksTheRule({ file: 'bin/penguindome.ts', target: '../audit/judge.ts' }));
  t.false(breaksTheRule({ file: 'settings/server-secrets.ts', target: '../crypto/ed25519.ts' }));
});

test('core imports nothing from outside itself', async (t) => {
  const outside = (await allImports()).filter(
    ({ file, target }) => file.startsWith('core/') && FORBIDDEN_IN_CORE.test(target),
  );
  t.deepEqual(outside, []);
});

test('only bin reads the process: its environment, arguments, streams and exit', async (t) => {
  const files = (await readdir('src', { recursive: true })).filter(
    (path) => path.endsWith('.ts') && !path.startsWith('bin/'),
  );
  const readers = await Promise.all(
    files.map(async (file) => ({
      file,
      reads: /\bprocess\.(env|argv|stdin|stdout|stderr|exit|exitCode)\b/.test(await readFile(`src/${file}`, 'utf8')),
    })),
  );
  t.deepEqual(
    readers.filter(({ reads }) => reads).map(({ file }) => file),
    [],
  );
});
