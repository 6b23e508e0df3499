import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Profile } from '../core/audit.ts';
import { messageOf } from '../core/errors.ts';
import type { Check } from './check-file.ts';
import type { CheckProblem } from './check-problem.ts';
import { type CheckFile, readCheckFile } from './read-check-file.ts';
import { type Below, type ResolvedCheck, resolveCheck } from './resolve-check.ts';

/**
 * Reads the folders' *.yaml and *.yml files, in the order of their names. A check in a later folder replaces the one of
 * its name in an earlier, or, as an override, changes it. What cannot be used is named in `problems`, and the others are
 * there all the same.
 *
 * @param profile checks that are not for it are switched off
 * @returns checks by name, switched off ones too
 */
export async function loadChecks(
  folders: readonly string[],
  profile?: Profile,
): Promise<{ checks: Check[]; problems: CheckProblem[] }> {
  const { checks, problems } = await resolveFolders(folders);
  const found = [...checks.values()].map(({ check }) => inProfile(check, profile));
  return { checks: found.sort((a, b) => (a.name < b.name ? -1 : 1)), problems };
}

/** The checks of all folders, whatever the profile. */
export async function resolveFolders(
  folders: readonly string[],
): Promise<{ checks: Map<string, ResolvedCheck>; problems: CheckProblem[] }> {
  const checks = new Map<string, ResolvedCheck>();
  const problems: CheckProblem[] = [];
  for (const folder of folders) {
    const layer = resolveLayer(await readFolder(folder), { checks, problems: [...problems] });
    for (const [name, each] of layer.checks) checks.set(name, each);
    problems.push(...layer.problems);
  }
  return { checks, problems };
}

function resolveLayer(files: readonly (CheckFile | CheckProblem[])[], below: Below) {
  const checks = new Map<string, ResolvedCheck>();
  const problems: CheckProblem[] = [];
  for (const file of files) {
    const resolved = Array.isArray(file) ? file : resolveCheck(file, below);
    if (Array.isArray(resolved)) {
      problems.push(...resolved);
      continue;
    }
    const { name } = resolved.check;
    const first = checks.get(name);
    if (first === undefined) checks.set(name, resolved);
    else {
      const reason = `cannot have a second check ${name} beside ${basename(lastFile(first.check))}`;
      problems.push({ file: lastFile(resolved.check), name, reason });
    }
  }
  return { checks, problems };
}

/** The file that said the last word about a check. */
export function lastFile({ file, overriddenBy = [] }: Pick<Check, 'file' | 'overriddenBy'>): string {
  return overriddenBy.at(-1) ?? file;
}

/** Decided here, so that no report has to ask. */
function inProfile(check: Check, profile: Profile | undefined): Check {
  if (profile === undefined || !check.enabled || check.profiles?.includes(profile) !== false) return check;
  return { ...check, enabled: false, outsideProfile: true };
}

async function readFolder(folder: string): Promise<(CheckFile | CheckProblem[])[]> {
  try {
    const names = (await readdir(folder)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
    return await Promise.all(names.map((name) => readCheckFile(join(folder, name))));
  } catch (error) {
    return [[{ file: folder, reason: `cannot read the folder of checks: ${messageOf(error)}` }]];
  }
}
