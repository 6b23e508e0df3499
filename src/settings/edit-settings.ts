import { readFile, realpath, stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Document, isCollection, isScalar, isSeq, parse } from 'yaml';
import { OperatorError } from '../core/errors.ts';
import type { Random } from '../core/world.ts';
import { type FileOwner, writeAtomically } from './atomic-write.ts';
import { parseServerSettings } from './load-server-settings.ts';
import { withLock } from './lock-file.ts';
import { readSettingsFile } from './parse-settings-file.ts';
import { type KeyPath, readYaml } from './read-yaml.ts';
import { SettingsError } from './settings-error.ts';
import { setInValue, spliceYaml } from './splice-yaml.ts';

/** One change of a settings file. `value` is text as YAML has it; undefined (or YAML's null) takes the key out. */
export interface SettingsEdit {
  /** dotted: `ports.0.deprecated`; or its steps, where a name may hold dots */
  path: string | KeyPath;
  value: string | undefined;
}

/** What kind of file it is. */
export interface SettingsKind {
  /** @throws SettingsError where the text would not do */
  check(text: string, file: string): unknown;
  /** how the file begins where there is none; absent: that there is none is an error */
  start?: { text: string; mode: number; owner?: FileOwner };
}

const SERVER_SETTINGS: SettingsKind = { check: parseServerSettings };

/**
 * Changes settings in place: comments and order stay, the schema has its say before the file is replaced,
 * and of two who change it at once neither loses the other's change.
 * @param edits or what makes them of the text, so that they are of what nobody else changes meanwhile
 * @returns whether the file changed
 * @throws SettingsError where the settings would not be valid; the file is as it was
 */
export async function editSettings(
  { random, signal }: { random: Random; signal: AbortSignal },
  file: string,
  edits: readonly SettingsEdit[] | ((before: string) => readonly SettingsEdit[]),
  kind: SettingsKind = SERVER_SETTINGS,
): Promise<boolean> {
  // the file itself, where a link leads to it: a rename would replace the link
  const target = await realpath(file).catch(() => file);
  return withLock({ random, signal }, `${target}.lock`, async () => {
    const missing = kind.start !== undefined && (await isMissing(target));
    const before = missing ? (kind.start?.text ?? '') : await readSettingsFile(target);
    const wanted = typeof edits === 'function' ? edits(before) : edits;
    const after = wanted.reduce((text, edit) => applyEdit(text, target, edit, kind), before);
    refuseInvalid(after, file, kind);
    if (after === before) return false;
    if (missing && kind.start !== undefined) {
      await writeAtomically(target, after, kind.start);
      return true;
    }
    const { mode, uid, gid } = await stat(target);
    if ((await readFile(target, 'utf8')) !== before) {
      throw new OperatorError(`cannot change ${file}: somebody else changed it just now; try again`);
    }
    await writeAtomically(target, after, { mode: mode & 0o777, owner: { uid, gid } });
    return true;
  });
}

async function isMissing(file: string): Promise<boolean> {
  return stat(file).then(
    () => false,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
  );
}

/** The lines that are named are those of the file as it would be. */
function refuseInvalid(after: string, file: string, { check }: SettingsKind): void {
  try {
    check(after, file);
  } catch (cause) {
    if (!(cause instanceof SettingsError)) throw cause;
    const heading = `cannot change ${file}, and left it as it was; it would read`;
    throw new SettingsError(file, cause.problems, { heading, cause });
  }
}

/** @throws SettingsError where the text is no YAML, or the value of an edit cannot go there */
function applyEdit(text: string, file: string, { path, value }: SettingsEdit, { check }: SettingsKind): string {
  const yaml = readYaml(text, file);
  if (Array.isArray(yaml)) throw new SettingsError(file, yaml);
  const { document } = yaml;
  if (isScalar(document.contents) && document.contents.value !== null) check(text, file);
  const steps = typeof path === 'string' ? stepsOf(document, path) : [...path];
  const wanted = (value === undefined ? null : readValue(value, steps.join('.'))) ?? undefined;
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
function stepsOf(document: Document.Parsed, path: string): (string | number)[] {
  if (path === '' || path.split('.').includes(''))
    throw new OperatorError(`cannot read ${JSON.stringify(path)} as a dotted path`);
  const steps: (string | number)[] = [];
  for (const step of path.split('.')) {
    const parent = steps.length === 0 ? document.contents : document.getIn(steps, true);
    if (isSeq(parent)) {
      const index = Number(step);
      if (!/^\d+$/.test(step) || index > parent.items.length) {
        throw new OperatorError(`cannot find ${path}: ${steps.join('.')} is a list of ${parent.items.length}`);
      }
      steps.push(index);
    } else steps.push(step);
  }
  return steps;
}

function readValue(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new OperatorError(`cannot read the value for ${path} as YAML; put it in quotes`, { cause });
  }
}

/** A group whose keys are all commented out is a null: it must be a group before a key can go in. */
function makeRoom(document: Document.Parsed, steps: readonly (string | number)[]): void {
  for (let depth = 1; depth < steps.length; depth++) {
    const parent = steps.slice(0, depth);
    if (document.hasIn(parent) && !isCollection(document.getIn(parent, true))) {
      document.setIn(parent, document.createNode({}));
    }
  }
}
