import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { getField } from '../core/value.ts';
import { describeIssue } from '../settings/describe-issue.ts';
import { readYaml } from '../settings/read-yaml.ts';
import { type Check, check } from './check-file.ts';

/** A check file, or a folder of them, that cannot be used. */
export interface CheckProblem {
  file: string;
  /** from 1; absent where the whole file is meant */
  line?: number;
  /** "cannot …", or what was expected and where */
  reason: string;
  /** the check that the file is about, as far as can be told: what is known of it stays. Absent: any check may be meant */
  name?: string;
}

/**
 * Reads the folders' *.yaml and *.yml files, in the order of their names. A check in a later folder replaces the one of
 * its name in an earlier. What cannot be used is named in `problems`, and the others are there all the same.
 *
 * @returns checks by name, switched off ones too
 */
export async function loadChecks(folders: readonly string[]): Promise<{ checks: Check[]; problems: CheckProblem[] }> {
  const found = new Map<string, Check>();
  const problems: CheckProblem[] = [];
  for (const folder of folders) {
    const inFolder = new Map<string, Check>();
    for (const read of await readFolder(folder)) {
      if (Array.isArray(read)) problems.push(...read);
      else {
        const first = inFolder.get(read.name);
        if (first === undefined) inFolder.set(read.name, read);
        else
          problems.push({
            file: read.file,
            name: read.name,
            reason: `cannot have a second check ${read.name} beside ${basename(first.file)}`,
          });
      }
    }
    for (const [name, each] of inFolder) found.set(name, each);
  }
  return { checks: [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), problems };
}

/** One line for the operator: file, line, reason. */
export function describeProblem({ file, line, reason }: CheckProblem): string {
  return `${line === undefined ? file : `${file}:${line}`}: ${reason}`;
}

async function readFolder(folder: string): Promise<(Check | CheckProblem[])[]> {
  try {
    const names = (await readdir(folder)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
    return await Promise.all(names.map((name) => readCheck(join(folder, name))));
  } catch (error) {
    return [[{ file: folder, reason: `cannot read the folder of checks: ${messageOf(error)}` }]];
  }
}

const LARGEST_FILE = 256 * 1024;

async function readCheck(file: string): Promise<Check | CheckProblem[]> {
  const name = basename(file).replace(/\.ya?ml$/, '');
  try {
    if ((await stat(file)).size > LARGEST_FILE) return [{ file, name, reason: 'cannot be larger than 256 KiB' }];
    return parseCheck(file, name, await readFile(file, 'utf8'));
  } catch (error) {
    return [{ file, name, reason: `cannot be read: ${messageOf(error)}` }];
  }
}

function parseCheck(file: string, fileName: string, text: string): Check | CheckProblem[] {
  const yaml = readYaml(text, file);
  if (Array.isArray(yaml)) {
    return yaml.map(({ line, expected, found, key }) => ({
      file,
      name: fileName,
      ...(line === undefined ? {} : { line }),
      reason: `${key === '' ? '' : `${key}: `}expected ${expected}, found ${found}`,
    }));
  }
  const parsed = check.safeParse(yaml.value);
  if (parsed.success) return { ...parsed.data, file };
  const name = nameIn(yaml.value) ?? fileName;
  return parsed.error.issues.flatMap((issue) =>
    describeIssue(issue).map(({ path, expected, unknown }) => {
      const line = yaml.lineOf(path);
      const key = path.length === 0 ? '' : `${path.join('.')}: `;
      const reason = unknown === true ? 'expected a key that checks have' : `expected ${expected}`;
      return { file, name, ...(line === undefined ? {} : { line }), reason: `${key}${reason}` };
    }),
  );
}

function nameIn(value: unknown): string | undefined {
  const name =
    typeof value === 'object' && value !== null
      ? getField(Object.fromEntries(Object.entries(value)), 'name')
      : undefined;
  return typeof name === 'string' ? name : undefined;
}
