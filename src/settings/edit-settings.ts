import { readFile, realpath, stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Document, isCollection, isScalar, isSeq, parse } from 'yaml';
import { OperatorError } from '../core/errors.ts';
import type { Random } from '../core/world.ts';
import { writeAtomically } from './atomic-write.ts';
import { parseServerSettings, readSettingsFile } from './load-server-settings.ts';
import { withLock } from './lock-file.ts';
import { readYaml } from './read-yaml.ts';
import { SettingsError } from './settings-error.ts';
import { setInValue, spliceYaml } from './splice-yaml.ts';

/** One change of a settings file. `value` is text as YAML has it; undefined (or YAML's null) takes the key out. */
export interface SettingsEdit {
  /** dotted: `ports.0.deprecated` */
  path: string;
  value: string | undefined;
}

/**
 * Changes settings in place: comments and order stay, the schema has its say before the file is replaced,
 * and of two who change it at once neither loses the other's change.
 * @returns whether the file changed
 * @throws SettingsError where the settings would not be valid; the file is as it was
 */
export async function editSettings(
  { random, signal }: { random: Random; signal: AbortSignal },
  file: string,
  edits: readonly SettingsEdit[],
): Promise<boolean> {
  // the file itself, where a link leads to it: a rename would replace the link
  const target = await realpath(file).catch(() => file);
  return withLock({ random, signal }, `${target}.lock`, async () => {
    const before = await readSettingsFile(target);
    const after = edits.reduce((text, edit) => applyEdit(text, target, edit), before);
    refuseInvalid(after, file);
    if (after === before) return false;
    const { mode, uid, gid } = await stat(target);
    if ((await readFile(target, 'utf8')) !== before) {
      throw new OperatorError(`cannot change ${file}: somebody else changed it just now; try again`);
    }
    await writeAtomically(target, after, { mode: mode & 0o777, owner: { uid, gid } });
    return true;
  });
}

/** The lines that are named are those of the file as it would be. */
function refuseInvalid(after: string, file: string): void {
  try {
    parseServerSettings(after, file);
  } catch (cause) {
    if (!(cause instanceof SettingsError)) throw cause;
    const heading = `cannot change ${file}, and left it as it was; it would read`;
    throw new SettingsError(file, cause.problems, { heading, cause });
  }
}

/** @throws SettingsError where the text is no YAML, or the value of an edit cannot go there */
function applyEdit(text: string, file: string, { path, value }: SettingsEdit): string {
  const yaml = readYaml(text, file);
  if (Array.isArray(yaml)) throw new SettingsError(file, yaml);
  const { document } = yaml;
  if (isScalar(document.contents) && document.contents.value !== null) parseServerSettings(text, file);
  const steps = stepsOf(document, path);
  const wanted = (value === undefined ? null : readValue(value, path)) ?? undefined;
  if (wanted === undefined && !document.hasIn(steps)) return text;
  const goal = setInValue(yaml.value, steps, wanted);
  if (isDeepStrictEqual(goal, yaml.value)) return text;
  const spliced = spliceYaml(text, document, steps, wanted);
  return spliced !== undefined && readsAs(spliced, goal) ? spliced : rewrite(document, steps, wanted);
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

/**
 * Whether these changes would change the file, without making them.
 * @throws SettingsError where the settings would not be valid
 */
export async function wouldChange(file: string, edits: readonly SettingsEdit[]): Promise<boolean> {
  const target = await realpath(file).catch(() => file);
  const before = await readSettingsFile(target);
  const after = edits.reduce((text, edit) => applyEdit(text, target, edit), before);
  refuseInvalid(after, file);
  return after !== before;
}
