import type { Action, Entrance, Family, Filter, Holds, Probe, Rule } from './model.ts';

export type Verdict = 'accept' | 'block' | 'unknown';

type Outcome = 'accept' | 'block' | 'return';

/** Chains that jump to each other are refused by the kernel at 16. */
const DEPTH = 32;

/** What becomes of the probe: every filter must let it pass, so that one which does not is enough. */
export function decide(filters: readonly Filter[], probe: Probe): Verdict {
  const verdicts = filters.flatMap((filter) =>
    filter.entrances
      .filter(({ families }) => families.includes(probe.family))
      .map((entrance) => verdictOf(filter, entrance, probe)),
  );
  if (verdicts.includes('block')) return 'block';
  return verdicts.includes('unknown') ? 'unknown' : 'accept';
}

/**
 * `on` where no probe gets in, `off` where one does.
 * @param devices that lead outside
 */
export function statusOf(
  filters: readonly Filter[],
  families: readonly Family[],
  devices: readonly string[],
): 'on' | 'off' | 'unknown' {
  const verdicts = families.flatMap((family) =>
    [undefined, ...devices].map((device) => decide(filters, { family, device })),
  );
  if (verdicts.includes('accept')) return 'off';
  return verdicts.includes('unknown') ? 'unknown' : 'on';
}

function verdictOf(filter: Filter, { chain, policy }: Entrance, probe: Probe): Verdict {
  const outcomes = new Set(
    [...walk(filter, chain, probe, 0)].map((outcome) => (outcome === 'return' ? policy : outcome)),
  );
  const [only, ...others] = outcomes;
  return only === undefined || others.length > 0 ? 'unknown' : only;
}

/** All that may come of a chain: more than one thing only where a condition may or may not hold. */
function walk(filter: Filter, chain: string, probe: Probe, depth: number): Set<Outcome> {
  if (depth > DEPTH) return new Set(['accept', 'block']);
  const possible = new Set<Outcome>();
  for (const rule of filter.chains.get(chain) ?? []) {
    const holds = holdsOf(rule, probe);
    if (holds === 'no') continue;
    const { outcomes, goesOn } = act(filter, rule.action, probe, depth);
    for (const outcome of outcomes) possible.add(outcome);
    if (holds === 'yes' && !goesOn) return possible;
  }
  return possible.add('return');
}

function holdsOf({ conditions }: Rule, probe: Probe): Holds {
  const answers = conditions.map((condition) => condition(probe));
  if (answers.includes('no')) return 'no';
  return answers.includes('maybe') ? 'maybe' : 'yes';
}

/** @returns what may come of it, and whether the next rule may be reached */
function act(filter: Filter, action: Action, probe: Probe, depth: number): { outcomes: Set<Outcome>; goesOn: boolean } {
  switch (action.do) {
    case 'accept':
    case 'block':
    case 'return':
      return { outcomes: new Set([action.do]), goesOn: false };
    case 'continue':
      return { outcomes: new Set(), goesOn: true };
    case 'unknown':
      return { outcomes: new Set(['accept', 'block']), goesOn: true };
    case 'goto':
      return { outcomes: walk(filter, action.chain, probe, depth + 1), goesOn: false };
    case 'jump': {
      const outcomes = walk(filter, action.chain, probe, depth + 1);
      return { outcomes, goesOn: outcomes.delete('return') };
    }
    default:
      return action satisfies never;
  }
}
