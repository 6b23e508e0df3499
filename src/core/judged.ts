import type { Judgement } from './check.ts';
import type { Host } from './host.ts';
import type { Fields } from './value.ts';

/** What checks see of a host: what it reported and when, not what v2 keeps for itself. */
export function judgedDocument(host: Omit<Host, 'identity' | 'checks' | 'settled'>): Fields {
  const { hostname, plugins, commands, collected_at, submitted_at, suspended } = host;
  return {
    hostname,
    ...(plugins === undefined ? {} : { plugins }),
    ...(commands === undefined ? {} : { commands }),
    ...(collected_at === undefined ? {} : { collected_at }),
    ...(submitted_at === undefined ? {} : { submitted_at }),
    ...(suspended === undefined ? {} : { suspended }),
  };
}

/** Whether two judgements open and close the same issues: where what the former says was carried over, so is what the other says. */
export function sameConsequences(a: Judgement, b: Judgement): boolean {
  const [failing, before] = [failingIn(a), failingIn(b)];
  return failing.length === before.length && failing.every((name) => fails(b, name));
}

function failingIn(judgement: Judgement): string[] {
  return Object.keys(judgement.results).filter((name) => fails(judgement, name));
}

function fails({ results }: Pick<Judgement, 'results'>, name: string): boolean {
  return Object.hasOwn(results, name) && results[name]?.fails === true;
}

/**
 * What a judgement means for the issues of its host: which to open, which to close.
 * @param previous a check that answered then and does not now (it is gone, or no longer for this host) closes its issue
 */
export function consequencesOf(
  { results }: Judgement,
  previous: Judgement | undefined,
): { failing: string[]; passing: string[] } {
  const failing: string[] = [];
  const passing: string[] = [];
  for (const name of Object.keys(results)) (fails({ results }, name) ? failing : passing).push(name);
  const gone = Object.keys(previous?.results ?? {}).filter((name) => !Object.hasOwn(results, name));
  return { failing, passing: [...passing, ...gone] };
}
