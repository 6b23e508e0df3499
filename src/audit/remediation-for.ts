import type { Check } from './check-file.ts';

/** How a distribution's name begins, lower case → the next of whose family it is: what is told of that one holds there too. */
const FAMILY: Readonly<Record<string, string>> = {
  almalinux: 'red hat',
  'centos ': 'red hat',
  'linux mint': 'ubuntu',
  'oracle linux': 'red hat',
  'pop!_os': 'ubuntu',
  raspbian: 'debian',
  'red hat': 'fedora',
  'rocky linux': 'red hat',
  ubuntu: 'debian',
};

/**
 * The text for the distribution whose name begins so, the longest such name first; else that for the next of its family; else the one for all.
 * @param distribution as it calls itself, lower case
 */
export function remediationFor({ remediation }: Pick<Check, 'remediation'>, distribution: string): string | undefined {
  const closest = longestStart(Object.keys(remediation), distribution);
  if (closest !== undefined) return remediation[closest];
  const next = FAMILY[longestStart(Object.keys(FAMILY), distribution) ?? ''];
  return next === undefined ? remediation['default'] : remediationFor({ remediation }, next);
}

function longestStart(names: readonly string[], distribution: string): string | undefined {
  return names.filter((name) => distribution.startsWith(name)).sort((a, b) => b.length - a.length)[0];
}
