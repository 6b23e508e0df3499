import { readFile, realpath, stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Document, isCollection, isScalar, isSeq, parse } from 'yaml';
import { OperatorError } from '../core/errors.ts';
import type { Random } from '../core/world.ts';
import { type FileOwner, writeAtomically } from './atomic-write.ts';
import { withLock } from './lock-file.ts';
import { readSettingsFile } from './parse-settings-file.ts';
import { type KeyPath, readYaml } from './read-yaml.ts';
import { SettingsError } from './settings-error.ts';
import { setInValue, spliceYaml } from './splice-yaml.ts';

/** One change of a file. `value` is text as YAML has it; undefined (or YAML's null) takes the key out. */
export interface YamlEdit {
  /** dotted, `ports.0.deprecated`; as steps where a key may hold a dot */
  path: string | KeyPath;
  value: string | undefined;
}

export interface Editing<T> {
  /** @throws SettingsError where the text is not what the file may hold */
  parse(text: string): T;
  /** a function: asked under the lock, with what the file holds now */
  edits: readonly YamlEdit[] | ((now: T) => readonly YamlEdit[] | Promise<readonly YamlEdit[]>);
  /** what a file that is not there yet begins as; absent: it must be there */
  initial?: { text: string; mode: number; owner?: FileOwner };
}

/**
 * Changes a YAML file in place: comments and order stay, `parse` has its say before the file is replaced,
 * and of two who change it at once neither loses the other's change.
 * @returns whether the file changed
 * @throws SettingsError where what it would hold is not valid; the file is as it was
 */
export async function editYaml<T>(
  { random, signal }: { random: Random; signal: AbortSignal },
  file: string,
  { parse: check, edits, initial }: Editing<T>,
): Promise<boolean> {
  // the file itself, where a link leads to it: a rename would replace the link
  const target = await realpath(file).catch(() => file);
  return withLock({ random, signal }, `${target}.lock`, async () => {
    const read = () => (initial === undefined ? readSettingsFile(target) : readOr(target, initial.text));
    const before = await read();
    const wanted = typeof edits === 'function' ? await edits(check(before)) : edits;
    const after = wanted.reduce((text, edit) => applyEdit(text, target, edit, check), before);
    refuseInvalid(after, file, check);
    if (after === before) return false;
    const there = await stat(target).catch(() => undefined);
    if ((await read()) !== before) {
      throw new OperatorError(`cannot change ${file}: somebody else changed it just now; try again`);
    }
    const made = initial ?? { mode: NEW_FILE };
    await writeAtomically(
      target,
      after,
      there === undefined ? made : { mode: there.mode & 0o777, owner: ownerOf(there) },
    );
    return true;
  });
}

function ownerOf({ uid, gid }: FileOwner): FileOwner {
  return { uid, gid };
}

/** Of one that went away meanwhile: its owner's alone. */
const NEW_FILE = 0o600;

/** @param otherwise what is read where there is no such file */
export async function readOr(file: string, otherwise: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return otherwise;
    throw error;
  }
}

/**
 * Whether these changes would change the file, without making them.
 * @throws SettingsError where what it would hold is not valid
 */
export async function yamlWouldChange<T>(
  file: string,
  { parse: check, edits }: { parse: Editing<T>['parse']; edits: readonly YamlEdit[] },
): Promise<boolean> {
  const target = await realpath(file).catch(() => file);
  const before = await readSettingsFile(target);
  const after = edits.reduce((text, edit) => applyEdit(text, target, edit, check), before);
  refuseInvalid(after, file, check);
  return after !== before;
}

/** The lines that are named are those of the file as it would be. */
function refuseInvalid(after: string, file: string, check: (text: string) => unknown): void {
  try {
    check(after);
  } catch (cause) {
    if (!(cause instanceof SettingsError)) throw cause;
    const heading = `cannot change ${file}, and left it as it was; it would read`;
    throw new SettingsError(file, cause.problems, { heading, cause });
  }
}

/** @throws SettingsError where the text is no YAML, or the value of an edit cannot go there */
function applyEdit(text: string, file: string, { path, value }: YamlEdit, check: (text: string) => unknown): string {
  const yaml = readYaml(text, file);
  if (Array.isArray(yaml)) throw new SettingsError(file, yaml);
  const { document } = yaml;
  if (isScalar(document.contents) && document.contents.value !== null) check(text);
  const steps = stepsOf(document, path);
  const wanted = (value === undefined ? null : readValue(value, shown(path))) ?? undefined;
  if (wanted === undefined && !hasValue(yaml.value, steps)) return text;
  const goal = setInValue(yaml.value, steps, wanted);
  if (isDeepStrictEqual(goal, yaml.value)) return text;
  const spliced = spliceYaml(text, document, steps, wanted);
  return spliced !== undefined && readsAs(spliced, goal) ? spliced : rewrite(document, steps, wanted);
}

/** Also where a key is written as a number, which yaml tells from the text of the same digits. */
function hasValue(value: unknown, [step, ...rest]: KeyPath): boolean {
  if (step === undefined) return true;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return false;
  return hasValue(Reflect.get(value, step), rest);
}

function readsAs(text: string, goal: unknown): boolean {
  const yaml = readYaml(text, '');
  return !Array.isArray(yaml) && isDeepStrictEqual(yaml.value, goal);
}

/** The way for unusual layouts: yaml writes the whole document again, comments included. */
function rewrite(document: Document.Parsed, steps: (string | number)[], wanted: unknown): string {
  if (wanted === undefined) document.deleteIn(steps);
  else {
    makeRoom(document, steps);
    document.setIn(steps, typeof wanted === 'object' ? document.createNode(wanted) : wanted);
  }
  return document.toString({ lineWidth: 0 });
}

/** A list's steps are its indices; one past the end appends. */
function stepsOf(document: Document.Parsed, path: YamlEdit['path']): (string | number)[] {
  const keys = typeof path === 'string' ? path.split('.') : path;
  if (keys.length === 0 || keys.includes('')) {
    throw new OperatorError(`cannot read ${JSON.stringify(shown(path))} as a dotted path`);
  }
  const steps: (string | number)[] = [];
  for (const step of keys) {
    const parent = steps.length === 0 ? document.contents : document.getIn(steps, true);
    if (isSeq(parent)) {
      const index = Number(step);
      if (!/^\d+$/.test(String(step)) || index > parent.items.length) {
        throw new OperatorError(`cannot find ${shown(path)}: ${steps.join('.')} is a list of ${parent.items.length}`);
      }
      steps.push(index);
    } else steps.push(step);
  }
  return steps;
}

function shown(path: YamlEdit['path']): string {
  return typeof path === 'string' ? path : path.join('.');
}

function readValue(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new OperatorError(`cannot read the value for ${path} as YAML; put it in quotes`, { cause });
  }
}

/** A group whose keys are all commented out is a null: it must be a group before a key can go in. */
function makeRoom(document: Document.Parsed, steps: KeyPath): void {
  for (let depth = 1; depth < steps.length; depth++) {
    const parent = steps.slice(0, depth);
    if (document.hasIn(parent) && !isCollection(document.getIn(parent, true))) {
      document.setIn(parent, document.createNode({}));
    }
  }
}
