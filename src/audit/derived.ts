import type { Fields } from '../core/value.ts';
import { ADVISORIES, type Advisories, compileAdvisories } from './advisories.ts';
import { AGENT, compileAgent } from './agent-version.ts';

/** What the server knows beside what hosts report. */
export interface Knowledge {
  advisories?: Advisories | undefined;
  /** of the product here: the newest agent that there is */
  version?: string | undefined;
}

/** @returns what gives a host's document with all that is made of it for checks */
export function compileDerived({ advisories, version }: Knowledge): (document: Fields) => Fields {
  const advise = compileAdvisories(advisories);
  const compare = compileAgent(version);
  return (document) => compare(advise(document));
}

/** Whether a path leads to something that is not reported, but made for checks. */
export function isDerived(path: string): boolean {
  return path.startsWith(`${ADVISORIES}.`) || path.startsWith(`${AGENT}.`);
}
