import { nearest } from '../settings/schema-at.ts';
import { type Check, check } from './check-file.ts';
import { type CheckProblem, problemAt, problemsOf } from './check-problem.ts';
import { overlay, staleKeys } from './overlay.ts';
import type { CheckFile } from './read-check-file.ts';

/** A check, and the keys that made it: what a later folder's override starts from. */
export interface ResolvedCheck {
  check: Check;
  keys: Record<string, unknown>;
}

/** What stands in earlier folders: their checks by name, and what was wrong there. */
export interface Below {
  checks: ReadonlyMap<string, ResolvedCheck>;
  problems: readonly CheckProblem[];
}

/** Makes a check of a file: of all its keys, or, where it `overrides` a check of an earlier folder, of that one's keys and its own. */
export function resolveCheck(file: CheckFile, below: Below): ResolvedCheck | CheckProblem[] {
  return Object.hasOwn(file.keys, 'overrides') ? changed(file, below) : whole(file, below);
}

function whole(file: CheckFile, { checks }: Below): ResolvedCheck | CheckProblem[] {
  const parsed = check.safeParse(file.yaml.value);
  if (!parsed.success) return problemsOf(file, parsed.error);
  const former = checks.get(parsed.data.name)?.check;
  const replaces = former === undefined ? {} : { replaces: former.file };
  return { check: { ...parsed.data, file: file.file, ...replaces }, keys: file.keys };
}

function changed(file: CheckFile, below: Below): ResolvedCheck | CheckProblem[] {
  const { overrides, ...change } = file.keys;
  if (Object.hasOwn(change, 'name')) {
    return [problemAt(file, ['name'], 'expected none beside overrides, which says whose check this is')];
  }
  const former = typeof overrides === 'string' ? below.checks.get(overrides) : undefined;
  if (former === undefined) return [problemAt(file, ['overrides'], missing(overrides, below))];
  if (Object.keys(change).length === 0) {
    return [problemAt(file, ['overrides'], 'expected a key beside it that says what is to be different')];
  }
  const keys = overlay(former.keys, change);
  const parsed = check.safeParse(keys);
  if (!parsed.success) return problemsOf(file, parsed.error);
  const stale = staleKeys(former.keys, change);
  if (stale !== undefined) return [problemAt(file, ['query'], stale)];
  const { file: origin, replaces, overriddenBy = [] } = former.check;
  return {
    check: {
      ...parsed.data,
      file: origin,
      ...(replaces === undefined ? {} : { replaces }),
      overriddenBy: [...overriddenBy, file.file],
    },
    keys,
  };
}

function missing(overrides: unknown, { checks, problems }: Below): string {
  if (typeof overrides !== 'string') return 'expected the name of a check of an earlier folder';
  if (problems.some(({ name }) => name === overrides))
    return `cannot change ${overrides}, whose own file cannot be used`;
  const meant = nearest(overrides, [...checks.keys()]);
  const advice = meant === undefined ? '`penguindome checks list` shows those there are' : `did you mean ${meant}?`;
  return `expected the name of a check of an earlier folder, found ${overrides}; ${advice}`;
}
