import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { messageOf } from '../core/errors.ts';
import { type Advisories, type Advisory, severityOf } from './advisories.ts';
import type { CheckProblem } from './check-problem.ts';

/** The check that these are for: what is wrong with them is a problem of its. */
export const CHECK = 'vulnerable-packages';
const LARGEST_FILE = 64 * 1024 * 1024;

/** A group as in https://security.archlinux.org/all.json; `/AVG-NUMBER.json` has one, with more that is not looked at. */
const group = z.object({
  name: z.string().regex(/^AVG-\d{1,9}$/),
  packages: z.array(z.string().min(1).max(200)),
  status: z.string(),
  severity: z.string(),
  fixed: z.string().max(200).nullish(),
});
const file = z.union([z.array(group), group.transform((one) => [one])]);

/**
 * Reads the *.json files of a folder; of a group that stands in several the last one's counts, by their names.
 * What cannot be used is named in `problems`; the others count all the same.
 * @returns no advisories where no folder is given, or none of its files can be used
 */
export async function loadAdvisories(
  folder: string | undefined,
): Promise<{ advisories?: Advisories; problems: CheckProblem[] }> {
  if (folder === undefined) return { problems: [] };
  const problems: CheckProblem[] = [];
  const known = new Map<string, Advisory | undefined>();
  const refuse = (path: string, reason: string) => void problems.push({ file: path, name: CHECK, reason });
  let used = 0;
  try {
    const names = (await readdir(folder)).filter((name) => /^[^.].*\.json$/.test(name)).sort();
    if (names.length === 0) refuse(folder, 'holds no *.json with advisories');
    for (const path of names.map((name) => join(folder, name))) {
      const read = await readGroups(path);
      if (typeof read === 'string') refuse(path, read);
      else {
        used += 1;
        for (const each of read) known.set(each.name, advisoryOf(each));
      }
    }
  } catch (error) {
    refuse(folder, `cannot read the folder of advisories: ${messageOf(error)}`);
  }
  if (used === 0) return { problems };
  const advisories = [...known.values()]
    .filter((each) => each !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const digest = createHash('sha256').update(JSON.stringify(advisories)).digest('hex').slice(0, 32);
  return { advisories: { advisories, digest }, problems };
}

/** @returns the groups, or why there are none */
async function readGroups(path: string): Promise<z.output<typeof file> | string> {
  try {
    if ((await stat(path)).size > LARGEST_FILE) return 'cannot be larger than 64 MiB';
    const parsed = file.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : 'expected groups as in https://security.archlinux.org/all.json';
  } catch (error) {
    return `cannot be read: ${messageOf(error)}`;
  }
}

/**
 * A fix that is in a testing repository is none for whoever does not use that. A group whose status is unknown and that names no
 * fix says nothing yet. (`affected` is where it was seen, and no lower bound.)
 */
function advisoryOf({ name, packages, status, severity, fixed }: z.output<typeof group>): Advisory | undefined {
  if (status === 'Not affected') return undefined;
  const isOut = typeof fixed === 'string' && fixed !== '' && status !== 'Testing';
  if (!isOut && status !== 'Vulnerable' && status !== 'Testing') return undefined;
  return { name, packages, severity: severityOf(severity), ...(isOut ? { fixed } : {}) };
}
