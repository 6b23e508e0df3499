// What a whole collection of this machine costs, beside the same looks as shell commands.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../packaging/install.mjs';
import { measure, must } from './cpu.mjs';
import { row } from './table.mjs';

/** CPU seconds that a collection may take (issue: a laptop-like machine). */
const MOST = 2;
/** How often cheaper it has to be than the same commands by themselves. */
const CHEAPER = 4;

export async function measureCollection({ scratch, programs, quick, progress, wants }) {
  if (!wants('collection')) return {};
  progress('collection …');
  const times = quick ? 2 : 5;
  const state = (name) => join(scratch, `collection-${name}`);
  const collect = (name) => [process.execPath, `${root}build/penguindome-agent`, '--state', state(name), 'collect'];
  const clear = (name) => ['rm', '-rf', state(name)];
  const first = measure(collect('first'), times, clear('first'));
  must(collect('later'));
  const later = measure(collect('later'), times);
  const { file, count } = await shellCommands(
    JSON.parse(must([process.execPath, `${programs}/looks.mjs`]).stdout),
    scratch,
  );
  const shells = measure(['sh', file], times);
  const reference = { name: `the same ${count} commands by sh -c, one after the other`, value: shells.cpu };
  const cheaper = (value) => ({ value: shells.cpu / value, unit: '× cheaper', target: { at_least: CHEAPER } });
  return {
    'collection: CPU': row({ value: later.cpu, unit: 's', reference, target: { at_most: MOST } }),
    'collection: than the same commands': row(cheaper(later.cpu)),
    'collection: the first one, CPU': row({ value: first.cpu, unit: 's', reference, target: { at_most: MOST } }),
    'collection: the first one, than the same commands': row({ ...cheaper(first.cpu), target: undefined }),
    'collection: memory': row({ value: later.memory, unit: 'MB' }),
  };
}

/**
 * Each program of a collector in a process tree of its own, and of all files and folders that it read, one `cat` and one `ls`: the
 * original's plugins, which read files by themselves, cost no less. What fails here fails there.
 */
async function shellCommands(looks, scratch) {
  const commands = Object.values(looks).flatMap(({ programs, files, folders }) => [
    ...programs.map((words) => words.map(quoted).join(' ')),
    ...(files.length > 0 ? [`cat ${files.map(quoted).join(' ')}`] : []),
    ...(folders.length > 0 ? [`ls ${folders.map(quoted).join(' ')}`] : []),
  ]);
  const file = join(scratch, 'collection-shells');
  await mkdir(scratch, { recursive: true });
  const lines = commands.map((command) => `sh -c ${quoted(command)} </dev/null >/dev/null 2>&1`);
  await writeFile(file, `export LC_ALL=C\n${lines.join('\n')}\ntrue\n`);
  return { file, count: commands.length };
}

const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;
