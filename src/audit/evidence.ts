import { type Fields, getField, isFields, setField, type Value } from '../core/value.ts';
import type { MemberTests } from './matching-members.ts';

/** What stands at a path, through lists as a query sees it: `hd_encryption.encrypted` is one value for each member. */
interface Sight {
  values: (Value | undefined)[];
  /** the path goes through a list */
  many: boolean;
}

export function lookAt(document: Fields, path: string): Sight {
  const steps = stepsOf(path);
  let at: Value | undefined = document;
  for (const [index, step] of steps.entries()) {
    if (Array.isArray(at)) return follow(at, steps.slice(index), false);
    if (!isFields(at)) return { values: [undefined], many: false };
    at = getField(at, step);
  }
  return { values: [at], many: false };
}

/** Paths are those of check files: few, and asked of each host again. */
const known = new Map<string, readonly string[]>();

function stepsOf(path: string): readonly string[] {
  const steps = known.get(path) ?? path.split('.');
  known.set(path, steps);
  return steps;
}

function follow(at: Value | undefined, steps: readonly string[], many: boolean): Sight {
  const [step, ...rest] = steps;
  if (step === undefined) return { values: [at], many };
  if (Array.isArray(at)) {
    if (/^\d+$/.test(step)) return follow(at[Number(step)], rest, many);
    return { values: at.flatMap((member) => follow(member, steps, true).values), many: true };
  }
  return isFields(at) ? follow(getField(at, step), rest, many) : { values: [undefined], many };
}

/** Why nothing can be said of what stands at a path: nothing does, or the word `unknown`. @returns undefined where something stands there */
export function whyUnknown(document: Fields, path: string): string | undefined {
  const failed = failedPlugin(document, path);
  if (failed !== undefined) return failed;
  const { values } = lookAt(document, path);
  if (values.length === 0 || values.some((value) => value === undefined || value === null)) {
    return `nothing is reported at ${path}`;
  }
  return values.includes('unknown') ? `the host says that it cannot tell ${path}` : undefined;
}

/** A plugin that failed reports `{stdout, stderr, returncode}` (wire-v1, "submit"). */
function failedPlugin(document: Fields, path: string): string | undefined {
  const [part, name] = stepsOf(path);
  if (part !== 'plugins' || name === undefined) return undefined;
  const plugins = getField(document, part);
  const reported = isFields(plugins) ? getField(plugins, name) : undefined;
  const failed = isFields(reported) && ['stdout', 'stderr', 'returncode'].every((key) => Object.hasOwn(reported, key));
  return failed ? `the plugin ${name} failed on the host` : undefined;
}

/**
 * The values at the paths, to be stored beside an answer; null where nothing stands.
 * @param members of these lists only what the query found, where that is the answer: among dozens of sockets nobody sees the one
 */
export function evidenceAt(document: Fields, paths: readonly string[], members?: MemberTests): Fields {
  const evidence: Fields = {};
  for (const path of paths) {
    const { values, many } = lookAt(document, path);
    const seen: Value = many ? values.map((value) => value ?? null) : (values[0] ?? null);
    const isMeant = members?.get(path);
    const found = isMeant !== undefined && Array.isArray(seen) ? seen.filter(isMeant) : [];
    if (found.length > 0) setField(evidence, path, size(found) > LARGEST ? firstOf(found) : found);
    else setField(evidence, path, size(seen) > LARGEST ? '(too much to show)' : seen);
  }
  return evidence;
}

/** As many as may be stored, and how many more there are. */
function firstOf(members: readonly Value[]): Value[] {
  const kept: Value[] = [];
  for (const member of members) {
    if (size([...kept, member]) > LARGEST) break;
    kept.push(member);
  }
  return [...kept, `(and ${members.length - kept.length} more)`];
}

/** Characters, more or less: evidence is stored a second time with its host, and a host can report megabytes. */
const LARGEST = 2000;

/** Stops counting soon after LARGEST. */
function size(value: Value): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null || value instanceof Date) return 8;
  let total = 2;
  for (const key in value) {
    const member = Array.isArray(value) ? value[Number(key)] : getField(value, key);
    total += (Array.isArray(value) ? 0 : key.length + 3) + (member === undefined ? 0 : size(member));
    if (total > LARGEST) break;
  }
  return total;
}
