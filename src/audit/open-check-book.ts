import { dirname, resolve } from 'node:path';
import type { CheckBook, Trial } from '../core/check-book.ts';
import { OperatorError } from '../core/errors.ts';
import { judgedDocument } from '../core/judged.ts';
import type { Clock } from '../core/world.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { Check } from './check-file.ts';
import { describeProblem } from './check-problem.ts';
import { compileDerived, type Knowledge } from './derived.ts';
import { explain } from './explain.ts';
import { makeJudge } from './judge.ts';
import { knownCheck } from './known-check.ts';
import { loadAdvisories } from './load-advisories.ts';
import { loadChecks, resolveFolders } from './load-checks.ts';
import { readCheckFile } from './read-check-file.ts';
import { recall } from './recall.ts';
import { resolveCheck } from './resolve-check.ts';

export interface CheckBookOptions {
  settings: Pick<ServerSettings, 'advisories' | 'checks' | 'checks_profile'>;
  /** the folder of the checks that come with the product */
  productChecks: string;
  /** of the product */
  version?: string;
  clock: Clock;
}

/** The checks of the settings, read once. */
export async function openCheckBook({ settings, productChecks, version, clock }: CheckBookOptions): Promise<CheckBook> {
  const folders = [productChecks, ...settings.checks];
  const profile = settings.checks_profile;
  const [{ checks, problems }, { advisories }] = await Promise.all([
    loadChecks(folders, profile),
    loadAdvisories(settings.advisories),
  ]);
  const knowledge = { advisories, version };
  const judge = makeJudge(checks, problems, knowledge);
  const isShipped = ({ file }: Check) => dirname(file) === productChecks;
  return {
    checks: checks.map((check) => knownCheck(check, isShipped(check))),
    problems: problems.map(describeProblem),
    version: judge.version,
    profile: profile ?? null,
    recall: (host) => recall(judge, host, clock.now()),
    trial(name) {
      const check = checks.find((each) => each.name === name);
      return check === undefined ? undefined : trialOf(check, isShipped(check), { clock, knowledge });
    },
    async tryFile(file) {
      const check = await resolveFile(file, folders);
      const trial = trialOf(check, isShipped(check), { clock, knowledge });
      if (trial === undefined)
        throw new OperatorError(`cannot try ${file}: ${check.name} is raised by the product itself`);
      return trial;
    },
  };
}

/** As if it lay in the last folder; a file that does lie in one of them changes what stands in the earlier ones. */
async function resolveFile(file: string, folders: readonly string[]): Promise<Check> {
  const own = folders.findIndex((folder) => resolve(folder) === dirname(resolve(file)));
  const read = await readCheckFile(file);
  const below = await resolveFolders(own === -1 ? folders : folders.slice(0, own));
  const resolved = Array.isArray(read) ? read : resolveCheck(read, below);
  if (!Array.isArray(resolved)) return resolved.check;
  throw new OperatorError(`cannot use the check:\n${resolved.map(describeProblem).join('\n')}`);
}

/** As if it were on, and the only one. */
function trialOf(
  check: Check,
  shipped: boolean,
  { clock, knowledge }: { clock: Clock; knowledge: Knowledge },
): Trial | undefined {
  const { rule, name } = check;
  if (rule === undefined) return undefined;
  const judge = makeJudge([{ ...check, enabled: true }], [], knowledge);
  const derive = compileDerived(knowledge);
  const judgeHost: Trial['judge'] = (host) => judge.judge(judgedDocument(host), host.checks, clock.now()).results[name];
  return {
    check: knownCheck(check, shipped),
    judge: judgeHost,
    explain: (host) => explain(rule, derive(judgedDocument(host)), judgeHost(host)),
  };
}
